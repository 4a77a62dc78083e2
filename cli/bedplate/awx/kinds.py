"""The kinds of AWX's objects that Bedplate keeps, as data: where they are listed, and their fields.

A field that a wanted object does not name has its default here, so that what was set by hand is reset too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Ref(NamedTuple):
    """Another object, by kind and name; it becomes an id when a request is written."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} {self.name}"


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        name: as AWX's `type`, such as `job_template`.
        collection: the path of its list, below the API's root.
        query: the filter that keeps a list to an organization (takes its id); empty where it has none.
        scope: the field that, with the name, tells objects of this kind apart; empty where names are unique.
        defaults: what a field is when nothing is wanted of it.
        shared: an object of the wanted name is used as it is when it is not ours.
        keeps: objects of this kind are never deleted, even with --prune.
        marked: whether it has a description, where the mark is.
    """

    name: str
    collection: str
    query: str = ""
    scope: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    shared: bool = False
    keeps: bool = False
    marked: bool = True

    def __str__(self) -> str:
        return self.name.replace("_", " ")


_PROMPTS = (
    "scm_branch",
    "diff_mode",
    "variables",
    "limit",
    "tags",
    "skip_tags",
    "job_type",
    "verbosity",
    "inventory",
    "credential",
    "execution_environment",
    "labels",
    "forks",
    "job_slice_count",
    "timeout",
    "instance_groups",
)
_JOB_TEMPLATE = {
    "job_type": "run",
    "inventory": None,
    "project": None,
    "playbook": "",
    "scm_branch": "",
    "forks": 0,
    "limit": "",
    "verbosity": 0,
    "extra_vars": "",
    "job_tags": "",
    "force_handlers": False,
    "skip_tags": "",
    "start_at_task": "",
    "timeout": 0,
    "use_fact_cache": False,
    "execution_environment": None,
    "host_config_key": "",
    **{f"ask_{prompt}_on_launch": False for prompt in _PROMPTS},
    "survey_enabled": False,
    "become_enabled": False,
    "diff_mode": False,
    "allow_simultaneous": False,
    "job_slice_count": 1,
    "webhook_service": "",
    "webhook_credential": None,
    "prevent_instance_group_fallback": False,
}
_WORKFLOW = {
    "extra_vars": "",
    "survey_enabled": False,
    "allow_simultaneous": False,
    "inventory": None,
    "limit": None,
    "scm_branch": None,
    **{f"ask_{name}_on_launch": False for name in ("variables", "inventory", "scm_branch", "limit", "labels")},
    "ask_skip_tags_on_launch": False,
    "ask_tags_on_launch": False,
    "webhook_service": "",
    "webhook_credential": None,
    "skip_tags": None,
    "job_tags": None,
}
# What a schedule, or a step of a workflow, may say of its launch.
_PROMPTED = (
    "scm_branch",
    "job_type",
    "job_tags",
    "skip_tags",
    "limit",
    "diff_mode",
    "verbosity",
    "execution_environment",
    "forks",
    "job_slice_count",
    "timeout",
)
_SCHEDULE: dict[str, Any] = {
    "rrule": "",
    "extra_data": {},
    "inventory": None,
    **dict.fromkeys(_PROMPTED),
    "unified_job_template": None,
    "enabled": True,
}
_PROJECT = {
    "scm_type": "",
    "scm_url": "",
    "scm_branch": "",
    "scm_refspec": "",
    "scm_clean": False,
    "scm_track_submodules": False,
    "scm_delete_on_update": False,
    "timeout": 0,
    "scm_update_on_launch": False,
    "scm_update_cache_timeout": 0,
    "allow_override": False,
    "default_environment": None,
    "signature_validation_credential": None,
}
_INVENTORY = {"kind": "", "host_filter": None, "variables": "", "prevent_instance_group_fallback": False}
_SOURCE = {
    "source": "",
    "source_path": "",
    "source_vars": "",
    "source_project": None,
    "credential": None,
    "execution_environment": None,
    "overwrite": False,
    "overwrite_vars": False,
    "update_on_launch": False,
    "update_cache_timeout": 0,
    "enabled_var": "",
    "enabled_value": "",
    "host_filter": "",
    "limit": "",
    "timeout": 0,
    "verbosity": 1,
    "scm_branch": "",
}
_CREDENTIAL_TYPE = {"kind": "cloud", "inputs": {}, "injectors": {}}
# In the order in which they are made; they are deleted the other way round.
KINDS = (
    Kind("organization", "organizations", shared=True, keeps=True),
    # These two belong to all of AWX: another Bedplate, with an organization of its own, may need them.
    Kind("credential_type", "credential_types", defaults=_CREDENTIAL_TYPE, keeps=True),
    Kind("execution_environment", "execution_environments", defaults={"image": "", "pull": ""}, keeps=True),
    Kind("project", "projects", "organization", "organization", _PROJECT),
    Kind("inventory", "inventories", "organization", "organization", _INVENTORY),
    Kind("credential", "credentials", "organization", "organization", {"credential_type": None}),
    Kind("inventory_source", "inventory_sources", "inventory__organization", "inventory", _SOURCE),
    Kind("label", "labels", "organization", "organization", shared=True, keeps=True, marked=False),
    Kind(
        "notification_template",
        "notification_templates",
        "organization",
        "organization",
        {"notification_type": ""},
        shared=True,
        keeps=True,
    ),
    Kind("team", "teams", "organization", "organization", shared=True, keeps=True),
    Kind("job_template", "job_templates", "organization", "organization", _JOB_TEMPLATE),
    Kind("workflow_job_template", "workflow_job_templates", "organization", "organization", _WORKFLOW),
    Kind("schedule", "schedules", "unified_job_template__organization", "unified_job_template", _SCHEDULE),
)
BY_NAME = {kind.name: kind for kind in KINDS}
LABEL = "bedplate"  # each template of ours bears it
TEMPLATES = ("job_template", "workflow_job_template")
# What a step of a workflow may have besides, of which we want nothing.
NODE_EXTRAS = ("extra_data", "inventory", *_PROMPTED, "failure_nodes", "always_nodes")
# Of which events of a job template somebody hears.
EVENTS = ("success", "error")
# Who may do what with a template: the relation as plans show it -> AWX's role.
ROLES = {
    ("job_template", "execute"): "JobTemplate Execute",
    ("workflow_job_template", "execute"): "WorkflowJobTemplate Execute",
    ("workflow_job_template", "approve"): "WorkflowJobTemplate Approve",
}
