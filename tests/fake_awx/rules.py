"""What AWX checks of an object as a whole, collection by collection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fake_awx.answers import Answer, bad
from fake_awx.fields import options
from fake_awx.launches import check_answers
from fake_awx.recurrence import read_rrule

if TYPE_CHECKING:
    from fake_awx.state import FakeAwx

Entry = dict[str, Any]
_PROMPTS = {"job_tags": "ask_tags_on_launch", "skip_tags": "ask_skip_tags_on_launch", "limit": "ask_limit_on_launch"}


def _job_template(awx: FakeAwx, entry: Entry) -> None:
    if not entry["inventory"] and not entry["ask_inventory_on_launch"]:
        raise bad("inventory", "You must either set a default value or ask to prompt on launch.")
    if not entry["project"]:
        raise bad("project", "Job Templates must have a project assigned.")
    project = awx.get("projects", entry["project"])
    if not entry["playbook"]:
        raise bad("playbook", "Must select playbook for project.")
    if entry["playbook"] not in project["playbooks"]:
        raise bad("playbook", "Playbook not found for project.")
    for field in ("scm_branch", "ask_scm_branch_on_launch"):
        if entry[field] and not project["allow_override"]:
            raise bad(field, "Project does not allow overriding branch.")
    entry["organization"] = project["organization"]
    _unique(awx, "job_templates", entry, "JobTemplate", "organization", "name")


def _workflow(awx: FakeAwx, entry: Entry) -> None:
    _unique(awx, "workflow_job_templates", entry, "WorkflowJobTemplate", "organization", "name")


def _project(awx: FakeAwx, entry: Entry) -> None:
    if not entry["scm_type"]:
        raise bad("local_path", "This path is already being used by another manual project.")
    if not entry["scm_url"]:
        raise bad("scm_url", "SCM URL is required.")
    entry.setdefault("playbooks", list(awx.playbooks))
    entry.setdefault("status", "successful")
    _unique(awx, "projects", entry, "Project", "organization", "name")


def _schedule(awx: FakeAwx, entry: Entry) -> None:
    entry.update(read_rrule(entry["rrule"]))
    template = awx.template(entry["unified_job_template"])
    for field, prompt in _PROMPTS.items():
        if entry[field] and not template[prompt]:
            raise bad(field, "Field is not configured to prompt on launch.")
    if isinstance(entry["extra_data"], str):
        entry["extra_data"] = json.loads(entry["extra_data"])
    if template["survey_enabled"]:
        check_answers(template["survey_spec"] or {}, entry["extra_data"])
    names = {item["variable"] for item in (template["survey_spec"] or {}).get("spec", [])}
    undeclared = sorted(set(entry["extra_data"]) - names)
    if undeclared and not template["ask_variables_on_launch"]:
        raise bad("extra_data", f"Variables {', '.join(undeclared)} are not allowed on launch.")
    _unique(awx, "schedules", entry, "Schedule", "unified_job_template", "name", said="Unified job template and Name")


_TYPES = {"string": str, "password": str, "int": int, "bool": bool, "list": list, "object": dict}


def _notification(awx: FakeAwx, entry: Entry) -> None:
    """A configuration has all fields of its type, each of the type that AWX says."""
    known = options("notification_templates")["actions"]["POST"]["notification_configuration"]
    given, missing = entry["notification_configuration"], []
    for name, field in known[entry["notification_type"]].items():
        if name not in given:
            missing += [] if "default" in field else [name]
        elif not isinstance(given[name], _TYPES[field["type"]]):
            raise Answer(400, [f"Configuration field '{name}' incorrect type, expected {field['type']}."])
    if missing:
        raise Answer(400, [f"Missing required fields for Notification Configuration: {missing}."])
    _unique(awx, "notification_templates", entry, "NotificationTemplate", "organization", "name")


def _host(awx: FakeAwx, entry: Entry) -> None:
    _unique(awx, "hosts", entry, "Host", "inventory", "name", said="Name and Inventory")


def _group(_: FakeAwx, entry: Entry) -> None:
    if entry["name"] == "all":
        raise bad("name", "Invalid group name.")


def _user(_: FakeAwx, entry: Entry) -> None:
    if not entry.get("password"):
        raise bad("password", "Password required for new User.")


def _unique(awx: FakeAwx, collection: str, entry: Entry, what: str, *keys: str, said: str = "") -> None:
    for other in awx.objects[collection].values():
        if other["id"] != entry["id"] and all(other[key] == entry[key] for key in keys):
            both = said or f"({', '.join(keys)}) combination"
            raise Answer(400, {"__all__": [f"{what} with this {both} already exists."]})


def _named(what: str, collection: str, *keys: str) -> Callable[[FakeAwx, Entry], None]:
    return lambda awx, entry: _unique(awx, collection, entry, what, *keys)


CHECKS: dict[str, Callable[[FakeAwx, Entry], None]] = {
    "job_templates": _job_template,
    "workflow_job_templates": _workflow,
    "projects": _project,
    "notification_templates": _notification,
    "schedules": _schedule,
    "hosts": _host,
    "groups": _group,
    "users": _user,
    "organizations": _named("Organization", "organizations", "name"),
    "inventories": _named("Inventory", "inventories", "organization", "name"),
    "labels": _named("Label", "labels", "organization", "name"),
    "credential_types": _named("CredentialType", "credential_types", "name", "kind"),
    "credentials": _named("Credential", "credentials", "organization", "name", "credential_type"),
    "execution_environments": _named("ExecutionEnvironment", "execution_environments", "name"),
    "inventory_sources": _named("InventorySource", "inventory_sources", "inventory", "name"),
}
