"""The same objects as files: a playbook for the collection awx.awx, or what `awx import` reads.

Secrets are in neither. In the playbook they are looked up in the environment; `awx import` leaves them out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bedplate.awx.catalog import Wishes
from bedplate.awx.kinds import ROLES, TEMPLATES, Kind, Ref
from bedplate.awx.wanted import Node, Wanted

_ENVIRONMENT = {"url": "NETBOX_API", "token": "NETBOX_TOKEN"}
# Where `awx export` has a kind under another name than its list.
_ASSETS = {"inventories": "inventory"}
_IN_TEMPLATES = frozenset({"label"})
# Nearly all of them is secret.
_NOTIFICATION = "notification_template"
_IN_ORGANIZATION = frozenset({"inventory_source", "schedule", *TEMPLATES})


def collection_playbook(wishes: Wishes) -> list[dict[str, Any]]:
    """Return a playbook that makes all objects with the modules of awx.awx."""
    organization = _organization(wishes)
    written = [wish for wish in wishes.objects if _is_written(wish)]
    tasks = [_task(wish, organization) for wish in written]
    for wish in wishes.objects:
        tasks += _role_tasks(wish, organization)
    play = {
        "name": "Bring AWX to what the catalog wants",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": tasks,
    }
    return [play]


def left_out(wishes: Wishes) -> Iterator[str]:
    """Say what the playbook lacks: awx.awx looks for the template of a schedule by its name, whatever its type."""
    for wish in wishes.objects:
        if _is_ambiguous(wish):
            template = wish.fields["unified_job_template"].name
            yield f"the {wish.ref} is left out: awx.awx cannot tell the workflow {template} from its job template"


def _is_written(wish: Wanted) -> bool:
    return wish.managed and wish.kind.name != _NOTIFICATION and not _is_ambiguous(wish)


def _is_ambiguous(wish: Wanted) -> bool:
    template = wish.fields.get("unified_job_template")
    return isinstance(template, Ref) and template.kind == "workflow_job_template"


def import_assets(wishes: Wishes) -> dict[str, list[dict[str, Any]]]:
    """Return the objects as `awx import` reads them; it knows no grants of roles and no credentials made elsewhere."""
    keys = _NaturalKeys(wishes)
    assets: dict[str, list[dict[str, Any]]] = {}
    for wish in wishes.objects:
        if wish.managed and wish.kind.name not in _IN_TEMPLATES | {_NOTIFICATION}:
            name = _ASSETS.get(wish.kind.collection, wish.kind.collection)
            assets.setdefault(name, []).append(_asset(wish, keys))
    return assets


def _task(wish: Wanted, organization: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"name": wish.name}
    if wish.kind.marked:
        arguments["description"] = wish.description
    arguments |= {key: _named(value) for key, value in wish.fields.items() if value is not None}
    if "source_vars" in arguments:
        arguments["source_vars"] = json.loads(arguments["source_vars"])  # the module takes a mapping, the API text
    if wish.kind.name in _IN_ORGANIZATION:
        arguments["organization"] = organization
    if wish.kind.name in TEMPLATES:
        arguments |= _template_arguments(wish, organization)
    arguments = _raw(arguments)
    if wish.secrets:
        inputs = {
            key: f"{{{{ lookup('ansible.builtin.env', '{variable}') }}}}" for key, variable in _ENVIRONMENT.items()
        }
        arguments |= {"inputs": inputs, "update_secrets": False}
    task = {"name": f"Keep the {wish.kind} {wish.name}", f"awx.awx.{wish.kind.name}": arguments}
    return {**task, "no_log": True} if wish.secrets else task


def _template_arguments(wish: Wanted, organization: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"labels": list(wish.labels)}
    if wish.survey is not None:
        arguments["survey_spec"] = dict(wish.survey)
    if wish.kind.name == "job_template":
        arguments["credentials"] = list(wish.credentials)
        arguments |= {f"notification_templates_{event}": list(names) for event, names in wish.notifications.items()}
    if wish.nodes:
        arguments["workflow_nodes"] = [_collection_node(wish, index, organization) for index in range(len(wish.nodes))]
        arguments["destroy_current_nodes"] = True
    return arguments


def _collection_node(wish: Wanted, index: int, organization: str) -> dict[str, Any]:
    node = wish.nodes[index]
    if node.is_approval:
        step = {"name": f"Approve {wish.name}", "timeout": node.timeout, "type": "workflow_approval"}
    else:
        step = {"name": node.template, "organization": {"name": organization}, "type": "job_template"}
    following = [{"identifier": each.identifier} for each in wish.nodes[index + 1 : index + 2]]
    return {"identifier": node.identifier, "unified_job_template": step, "related": {"success_nodes": following}}


def _role_tasks(wish: Wanted, organization: str) -> Iterator[dict[str, Any]]:
    targets = {"job_template": "job_templates", "workflow_job_template": "workflows"}
    for role, teams in wish.teams.items():
        if teams and (wish.kind.name, role) in ROLES:
            arguments = {"teams": list(teams), "role": {"approve": "approval"}.get(role, role)}
            arguments |= {targets[wish.kind.name]: [wish.name], "lookup_organization": organization}
            yield {"name": f"Let teams {role} the {wish.kind} {wish.name}", "awx.awx.role": arguments}


class _NaturalKeys:
    """How `awx import` names objects: by what makes them unique."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = {wish.ref: wish for wish in wishes.objects}
        self._organization = {"name": _organization(wishes), "type": "organization"}

    def of(self, ref: Ref) -> dict[str, Any]:
        key: dict[str, Any] = {"name": ref.name, "type": ref.kind}
        wish = self._wishes[ref]
        if ref.kind == "credential_type":
            key["kind"] = wish.fields["kind"]
        elif ref.kind not in {"organization", "execution_environment"}:
            for field in self._scopes(wish.kind):
                value = wish.fields.get(field)
                key[field] = self.of(value) if isinstance(value, Ref) else self._organization
        return key

    def knows(self, ref: Ref) -> bool:
        return ref in self._wishes and not (ref.kind == "credential" and not self._wishes[ref].managed)

    @staticmethod
    def _scopes(kind: Kind) -> tuple[str, ...]:
        return ("organization", "credential_type") if kind.name == "credential" else (kind.scope,)


def _asset(wish: Wanted, keys: _NaturalKeys) -> dict[str, Any]:
    asset: dict[str, Any] = {"name": wish.name, "description": wish.description}
    for name, value in wish.full_fields.items():
        if isinstance(value, Ref):
            asset[name] = keys.of(value)
        elif value is not None:
            asset[name] = value
    related: dict[str, Any] = {}
    if wish.labels:
        labels = [Ref("label", name) for name in wish.labels]
        related["labels"] = [
            {"name": ref.name, "organization": keys.of(ref)["organization"], "natural_key": keys.of(ref)}
            for ref in labels
        ]
    if wish.survey is not None:
        related["survey_spec"] = dict(wish.survey)
    if wish.nodes:
        related["workflow_nodes"] = [_asset_node(wish, index, keys) for index in range(len(wish.nodes))]
    credentials = [Ref("credential", name) for name in wish.credentials]
    if any(keys.knows(ref) for ref in credentials):
        related["credentials"] = [keys.of(ref) for ref in credentials if keys.knows(ref)]
    return {**asset, **({"related": related} if related else {}), "natural_key": keys.of(wish.ref)}


def _asset_node(wish: Wanted, index: int, keys: _NaturalKeys) -> dict[str, Any]:
    def key(node: Node) -> dict[str, Any]:
        workflow = keys.of(wish.ref)
        return {"workflow_job_template": workflow, "identifier": node.identifier, "type": "workflow_job_template_node"}

    node = wish.nodes[index]
    related: dict[str, Any] = {"success_nodes": [key(each) for each in wish.nodes[index + 1 : index + 2]]}
    if node.is_approval:
        approval = {"name": f"Approve {wish.name}", "description": "", "timeout": node.timeout}
        related["create_approval_template"] = approval
        return {"identifier": node.identifier, "related": related, "natural_key": key(node)}
    step = keys.of(Ref("job_template", node.template))
    fields = {"identifier": node.identifier, "unified_job_template": step}
    return {**fields, "related": related, "natural_key": key(node)}


def _organization(wishes: Wishes) -> str:
    return next(wish.name for wish in wishes.objects if wish.kind.name == "organization")


def _named(value: Any) -> Any:  # noqa: ANN401
    return value.name if isinstance(value, Ref) else value


def _raw(value: Any) -> Any:  # noqa: ANN401
    """Text as it is: what AWX or nobody puts values into must not be taken for a template by Ansible."""
    if isinstance(value, Mapping):
        return {key: _raw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_raw(item) for item in value]
    is_template = isinstance(value, str) and any(sign in value for sign in ("{{", "{%", "{#"))
    return f"{{% raw %}}{value}{{% endraw %}}" if is_template else value
