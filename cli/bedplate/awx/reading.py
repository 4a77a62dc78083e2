"""Reading what an AWX has: a list of each kind, and nothing for each object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from bedplate.awx.catalog import Wishes
from bedplate.awx.client import AwxClient
from bedplate.awx.comparison import Actual, Found
from bedplate.awx.kinds import BY_NAME, EVENTS, KINDS, NODE_EXTRAS, ROLES, TEMPLATES, Kind
from bedplate.awx.wanted import Node

Entry = dict[str, Any]
_AT_ONCE = 100
Teams = dict[tuple[str, int], dict[str, list[str]]]


def read_actual(client: AwxClient, wishes: Wishes, *, surveys: bool = False) -> Actual:
    """Return all that AWX has of what Bedplate keeps.

    A survey is read where somebody else was the last to write its template: a survey that was changed by hand keeps
    its title and mark.

    Args:
        surveys: read the survey of each template of ours.

    Raises:
        EngineError: AWX cannot be reached or refuses.
    """
    organization = _organization_of(wishes)
    own = next(iter(client.pages("organizations/", name=organization)), None)
    entries: dict[str, list[Entry]] = {}
    for kind in KINDS:
        if kind.name == "organization":
            entries[kind.name] = [own] if own else []
        elif not kind.query:
            entries[kind.name] = list(client.pages(f"{kind.collection}/"))
        else:
            query = {kind.query: own["id"]} if own else {}
            entries[kind.name] = list(client.pages(f"{kind.collection}/", **query)) if own else []
    receivers = {name for wish in wishes.objects for names in wish.notifications.values() for name in names}
    hanging = _Hanging(client, entries, receivers) if own else None
    me = _me(client)
    return Actual(
        _found(client, kind, entry, hanging, read_survey=surveys or _writer(entry) != me)
        for kind in KINDS
        for entry in entries[kind.name]
    )


class _Hanging:
    """What hangs on templates and is not listed with them: teams, notifications, and nodes of workflows."""

    def __init__(self, client: AwxClient, entries: Mapping[str, list[Entry]], receivers: Collection[str]) -> None:
        names = {kind: {each["id"]: each["name"] for each in entries[kind]} for kind in entries}
        self.teams = _teams(client, entries, names["team"])
        self.notifications = _notifications(client, entries, receivers)
        self.nodes: dict[int, list[Entry]] = defaultdict(list)
        self.templates = names["job_template"]
        if _has_ours("workflow_job_template", entries):
            organization = entries["organization"][0]["id"]
            query = {"workflow_job_template__organization": organization}
            for node in client.pages("workflow_job_template_nodes/", **query):
                self.nodes[node["workflow_job_template"]].append(node)


def _found(client: AwxClient, kind: Kind, entry: Entry, hanging: _Hanging | None, *, read_survey: bool) -> Found:
    if hanging is None or kind.name not in TEMPLATES or not _is_ours(kind, entry):
        return Found(kind, entry["id"], entry["name"], entry)
    survey = None
    if read_survey and entry.get("summary_fields", {}).get("survey"):
        survey = client.get(f"{kind.collection}/{entry['id']}/survey_spec/")
    nodes = hanging.nodes.get(entry["id"], []) if kind.name == "workflow_job_template" else []
    return Found(
        kind,
        entry["id"],
        entry["name"],
        entry,
        survey,
        teams={role: tuple(sorted(names)) for role, names in hanging.teams[kind.name, entry["id"]].items()},
        notifications={event: tuple(sorted(names)) for event, names in hanging.notifications[entry["id"]].items()},
        nodes=_in_order(nodes, hanging.templates),
        node_ids=tuple(node["id"] for node in nodes),
    )


def _teams(client: AwxClient, entries: Mapping[str, list[Entry]], names: Mapping[int, str]) -> Teams:
    """Grants of teams on templates; the list is of all of AWX, so it is read only where we have templates."""
    teams: Teams = defaultdict(lambda: defaultdict(list))
    for (kind, role), definition in ROLES.items():
        if not _has_ours(kind, entries):
            continue
        for grant in client.pages("role_team_assignments/", role_definition__name=definition):
            if grant["team"] in names:
                teams[kind, int(grant["object_id"])][role].append(names[grant["team"]])
    return teams


def _notifications(
    client: AwxClient, entries: Mapping[str, list[Entry]], wanted: Collection[str]
) -> dict[int, dict[str, list[str]]]:
    """Which templates each notification template of the organization hangs on, by event.

    A list for each that is wanted somewhere; of the others, which hang on ours only by hand, one for each hundred.
    """
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    if not _has_ours("job_template", entries):
        return found
    listed = entries["notification_template"]
    others = [each for each in listed if each["name"] not in wanted]
    for event in EVENTS:
        relation = f"notification_templates_{event}"
        asked = [each for each in listed if each["name"] in wanted]
        for begin in range(0, len(others), _AT_ONCE):
            some = others[begin : begin + _AT_ONCE]
            numbers = ",".join(str(each["id"]) for each in some)
            if any(client.pages("job_templates/", **{f"{relation}__in": numbers})):
                asked += some
        for each in asked:
            for template in client.pages("job_templates/", **{relation: each["id"]}):
                found[template["id"]][event].append(each["name"])
    return found


def _in_order(nodes: list[Entry], templates: Mapping[int, str]) -> tuple[Node, ...]:
    """The nodes as a chain, each followed by its success; what is no chain is never as wanted."""
    by_id = {node["id"]: node for node in nodes}
    followers = {number for node in nodes for number in node["success_nodes"]}
    first = [node for node in nodes if node["id"] not in followers]
    chain: list[Node] = []
    while len(first) == 1 and len(chain) < len(nodes):
        node = first[0]
        chain.append(_node(node, templates))
        first = [by_id[number] for number in node["success_nodes"] if number in by_id]
    return tuple(chain) if len(chain) == len(nodes) else (Node("no chain"),)


def _node(node: Entry, templates: Mapping[int, str]) -> Node:
    """A step; one with prompts of its own, or which others follow however it ends, is never as wanted."""
    altered = any(node.get(name) not in (None, "", [], {}) for name in NODE_EXTRAS) or node["all_parents_must_converge"]
    identifier = f"{node['identifier']} (altered)" if altered else node["identifier"]
    summary = node.get("summary_fields", {}).get("unified_job_template") or {}
    if summary.get("unified_job_type") == "workflow_approval":
        return Node(identifier, timeout=summary.get("timeout") or 0)
    number = node["unified_job_template"]
    return Node(identifier, template=templates.get(number, f"#{number}"))


def _organization_of(wishes: Wishes) -> str:
    return next(each.name for each in wishes.objects if each.kind.name == "organization")


def _is_ours(kind: Kind, entry: Entry) -> bool:
    return Found(kind, entry["id"], entry["name"], entry).is_ours


def _has_ours(name: str, entries: Mapping[str, list[Entry]]) -> bool:
    return any(_is_ours(BY_NAME[name], each) for each in entries[name])


def _writer(entry: Entry) -> str | None:
    writer = entry.get("summary_fields", {}).get("modified_by") or {}
    name: str | None = writer.get("username")
    return name


def _me(client: AwxClient) -> str | None:
    return next((each["username"] for each in client.pages("me/")), None)
