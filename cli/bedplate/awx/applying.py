"""Carrying out a plan: each change alone, in order; what one step needs of another is looked up when it is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.awx.client import AwxClient
from bedplate.awx.comparison import HIDDEN, Action, Actual, Change, Found, Plan
from bedplate.awx.faults import AwxError
from bedplate.awx.kinds import ROLES, TEMPLATES, Ref
from bedplate.awx.wanted import Wanted
from bedplate.errors import EngineError

_UNDERWAY = frozenset({"new", "pending", "waiting", "running"})
_LACKING = "Playbook not found"
_POLL = 2.0
_SYNC_PATIENCE = 600.0


@dataclass(frozen=True)
class Result:
    """What became of one change; `error` is None where it was made."""

    change: Change
    error: str | None = None


class Applier:
    """Makes the changes of a plan.

    Args:
        client: the AWX.
        actual: what it had when the plan was made.
        sleep: waits so many seconds.
    """

    def __init__(self, client: AwxClient, actual: Actual, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._actual = actual
        self._sleep = sleep
        self._made: dict[Ref, int] = {}
        self._broken: dict[Ref, str] = {}
        self._taken_off: set[Ref] = set()
        self._synced = False
        self._looked_again = False

    def apply(self, plan: Plan, *, prune: bool = False) -> Iterator[Result]:
        """Make each change and yield what became of it. What AWX refuses is in the result; the rest goes on.

        Raises:
            EngineError: AWX cannot be reached any more, or does not know us; applying again completes what is left.
        """
        for change in plan.changes:
            if not (change.acts or (prune and change.action is Action.PRUNE)):
                continue
            try:
                self._make(change)
            except AwxError as fault:
                if fault.status in {401, 429} or fault.status >= 500:
                    raise
                if change.wish:
                    self._broken[change.wish.ref] = str(fault)
                yield Result(change, _explained(fault, change))
            else:
                yield Result(change)

    def _make(self, change: Change) -> None:
        path = f"{change.kind.collection}/"
        if change.action is Action.PRUNE and change.found:
            self._client.delete(f"{path}{change.found.id}/")
        elif change.wish is not None:
            self._require(change.wish)
            number = self._written(change.wish, change)
            if change.kind.name in TEMPLATES:
                self._hang(change.wish, change.found, f"{path}{number}/", number, _fields(change))

    def _require(self, wish: Wanted) -> None:
        for ref in wish.references():
            if ref in self._broken:
                raise AwxError(f"needs {ref}, which was not made", 424)
        if wish.kind.name == "job_template" and not self._synced:
            self._wait_for_project(wish)
            self._synced = True

    def _written(self, wish: Wanted, change: Change) -> int:
        """Write an object; where AWX does not know a playbook yet that was pushed since, it looks for it first."""
        try:
            return self._write(wish, change)
        except AwxError as fault:
            if _LACKING not in fault.message or not self._looks_again(wish):
                raise
        return self._write(wish, change)

    def _looks_again(self, wish: Wanted) -> bool:
        """Let AWX sync our project, once; return whether it did."""
        ref = wish.fields["project"]
        ours = any(each.ref == ref and each.state is not None for each in self._actual.found)
        if self._looked_again or not ours:
            return False
        self._looked_again = True
        self._client.put(f"projects/{self._id(ref)}/update/", {})
        self._wait_for_sync(ref)
        return True

    def _write(self, wish: Wanted, change: Change) -> int:
        path = f"{wish.kind.collection}/"
        marked = {"description": wish.description} if wish.kind.marked else {}
        if change.found is None:
            fields = {key: self._plain(value) for key, value in wish.fields.items() if value is not None}
            number = int(self._client.create(path, {"name": wish.name, **marked, **fields, **wish.secrets})["id"])
            self._made[wish.ref] = number
            return number
        changed = _fields(change)
        body = {key: self._plain(value) for key, value in wish.full_fields.items() if key in changed}
        if {"secrets", "notification_type"} & changed:
            body |= wish.secrets
        else:
            body |= _beside_secrets(wish, change.found, changed)
        self._client.change(f"{path}{change.found.id}/", {**marked, **body})
        return change.found.id

    def _hang(self, wish: Wanted, found: Found | None, path: str, number: int, changed: set[str]) -> None:
        """Bring what hangs on a template to what is wanted: all of it where it is new, else what differs."""
        new = found is None
        if new or "survey" in changed:
            self._survey(wish, path, new=new)
        summary = found.body.get("summary_fields", {}) if found else {}
        if new or "labels" in changed:
            self._attach(path, "labels", "label", summary.get("labels", {}).get("results", []), wish.labels)
        if wish.kind.name == "job_template" and (new or "credentials" in changed):
            self._attach(path, "credentials", "credential", summary.get("credentials", []), wish.credentials)
        for event, names in wish.notifications.items():
            if new or f"notifications.{event}" in changed:
                before = [{"id": 0, "name": name} for name in (found.notifications.get(event, ()) if found else ())]
                there = [name for name in names if self._can_hang(Ref("notification_template", name))]
                self._attach(path, f"notification_templates_{event}", "notification_template", before, there)
        for role, teams in wish.teams.items():
            if new or f"teams.{role}" in changed:
                self._grant(ROLES[wish.kind.name, role], number, found.teams.get(role, ()) if found else (), teams)
        if wish.nodes and (new or "nodes" in changed):
            self._rebuild_nodes(wish, number, found.node_ids if found else ())

    def _can_hang(self, ref: Ref) -> bool:
        return self._actual.has(*ref) and ref not in self._broken

    def _survey(self, wish: Wanted, path: str, *, new: bool) -> None:
        if wish.survey is not None:
            self._client.put(f"{path}survey_spec/", wish.survey)
        elif not new:
            self._client.delete(f"{path}survey_spec/")

    def _attach(self, path: str, relation: str, kind: str, before: Any, after: Any) -> None:  # noqa: ANN401
        """Attach and detach by name; first what goes, for a template takes one credential of a type."""
        there = {each["name"]: each["id"] for each in before}
        for name in sorted(set(there) - set(after)):
            number = there[name] or self._id(Ref(kind, name))
            self._client.put(f"{path}{relation}/", {"id": number, "disassociate": True})
            self._taken_off.add(Ref(kind, name))
        for name in sorted(set(after) - set(there)):
            self._attach_one(f"{path}{relation}/", Ref(kind, name))

    def _attach_one(self, path: str, ref: Ref) -> None:
        try:
            self._client.put(path, {"id": self._id(ref)})
        except AwxError as fault:
            if ref.kind != "label" or ref not in self._taken_off or fault.status not in {400, 404}:
                raise
            # AWX deleted it when we took it off the last template that bore it.
            organization = next(each.body["organization"] for each in self._actual.found if each.ref == ref)
            made = self._client.create("labels/", {"name": ref.name, "organization": organization})
            self._made[ref] = int(made["id"])
            self._client.put(path, {"id": self._made[ref]})

    def _grant(self, definition: str, number: int, before: Any, after: Any) -> None:  # noqa: ANN401
        there = {team for team in after if self._actual.has("team", team)}
        if there == set(before):
            return
        role = next(self._client.pages("role_definitions/", name=definition))["id"]
        for team in sorted(there - set(before)):
            body = {"role_definition": role, "team": self._id(Ref("team", team)), "object_id": str(number)}
            self._client.create("role_team_assignments/", body)
        for team in sorted(set(before) - there):
            query = {"role_definition": role, "team": self._id(Ref("team", team)), "object_id": str(number)}
            for grant in list(self._client.pages("role_team_assignments/", **query)):
                self._client.delete(f"role_team_assignments/{grant['id']}/")

    def _rebuild_nodes(self, wish: Wanted, workflow: int, before: tuple[int, ...]) -> None:
        """Make the chain anew: it is short, and what is half made is never repaired."""
        for number in before:
            self._client.delete(f"workflow_job_template_nodes/{number}/")
        previous = None
        for node in wish.nodes:
            body: dict[str, Any] = {"workflow_job_template": workflow, "identifier": node.identifier}
            if node.template:
                body["unified_job_template"] = self._id(Ref("job_template", node.template))
            number = self._client.create("workflow_job_template_nodes/", body)["id"]
            if node.is_approval:
                approval = {"name": f"Approve {wish.name}", "timeout": node.timeout}
                self._client.create(f"workflow_job_template_nodes/{number}/create_approval_template/", approval)
            if previous:
                self._client.put(f"workflow_job_template_nodes/{previous}/success_nodes/", {"id": number})
            previous = number

    def _wait_for_project(self, wish: Wanted) -> None:
        """AWX knows a playbook only when its project has been synced, which starts by itself when one is made."""
        ref = wish.fields["project"]
        if ref not in self._made and self._listed_status(ref) == "successful":
            return
        self._wait_for_sync(ref)

    def _wait_for_sync(self, ref: Ref) -> None:
        path, waited = f"projects/{self._id(ref)}/", 0.0
        while (status := self._client.get(path).get("status")) in _UNDERWAY:
            if waited >= _SYNC_PATIENCE:
                raise EngineError(f"AWX is still syncing {ref}", where=path, hint="apply again when it is done")
            self._sleep(_POLL)
            waited += _POLL
        if status in {"failed", "error", "canceled"}:
            hint = "AWX's page of the project says why; apply again when it is right"
            raise EngineError(f"AWX could not sync {ref}", where=path, hint=hint)

    def _listed_status(self, ref: Ref) -> Any:  # noqa: ANN401
        return next((each.body.get("status") for each in self._actual.found if each.ref == ref), None)

    def _plain(self, value: Any) -> Any:  # noqa: ANN401
        return self._id(value) if isinstance(value, Ref) else value

    def _id(self, ref: Ref) -> int:
        return self._made.get(ref) or self._actual.id_of(*ref)


def _fields(change: Change) -> set[str]:
    return {difference.field for difference in change.differences}


def _beside_secrets(wish: Wanted, found: Found, changed: set[str]) -> dict[str, Any]:
    """What goes with a secret where that changed and the secret did not, which stays as it is in AWX."""
    body = {}
    for name, wanted in wish.secrets.items():
        if any(each.startswith(f"{name}.") for each in changed):
            shown = found.body.get(name) or {}
            body[name] = {key: HIDDEN if shown.get(key) == HIDDEN else value for key, value in wanted.items()}
    return body


def _explained(fault: AwxError, change: Change) -> str:
    if _LACKING in fault.message and change.wish:
        fields: Mapping[str, Any] = change.wish.fields
        return f"AWX's {fields['project']} has no {fields['playbook']}: it was not synced since, or its branch lacks it"
    return str(fault)
