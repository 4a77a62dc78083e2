"""What the catalog wants in AWX: the objects that all products share, and those of each product."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bedplate.awx.calendars import UnfitCalendarError, rrule_of
from bedplate.awx.hearing import heard_by, notification_templates, notifications_on, unknown_notification
from bedplate.awx.kinds import KINDS, LABEL, Ref
from bedplate.awx.marks import secret_digest
from bedplate.awx.site import Site
from bedplate.awx.surveys import answer_of, survey_of
from bedplate.awx.wanted import Node, Wanted, wanted
from bedplate.catalog import Product, TargetClass, resolve_parameters
from bedplate.catalog.service import Schedule
from bedplate.persons import EVERYBODY

NETBOX = "Bedplate NetBox"
_LABELS = 10  # AWX lists no more with a template
# Variables of the environment. When AWX reads an inventory it looks for collections in no project, unless
# it is told to: without these ansible-core before 2.19 does not find our plugin.
_SOURCE_ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": "/runner/project/collections",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
}
# What a launch from AWX's own page would get around: nobody but administrators may launch such a product there.
_NOT_IN_AWX = ("freeze", "window", "dry_run_first", "canary", "serial_by", "max_fail_percent")


@dataclass(frozen=True)
class Wishes:
    """All that is wanted, in the order in which it is made, and what AWX cannot do of it, in sentences."""

    objects: tuple[Wanted, ...]
    notes: tuple[str, ...]


def wishes_of(products: Iterable[Product], site: Site, today: date) -> Wishes:
    """Return what these products want of an AWX; what could be ordered until yesterday wants nothing any more."""
    objects, notes = list(_shared(site)), list[str]()
    products = [each for each in products if not (each.lifecycle.sunset and each.lifecycle.sunset < today)]
    labels = sorted({label for product in products for label in _labels(product)})
    objects += [wanted("label", label, fields={"organization": _organization(site)}) for label in labels]
    for name in heard_by(products):
        objects += notification_templates(name, site)
        notes += unknown_notification(name, site)
    for product in products:
        objects += _of_product(product, site)
        notes += _notes(product)
    order = {kind.name: index for index, kind in enumerate(KINDS)}
    return Wishes(tuple(sorted(objects, key=lambda each: order[each.kind.name])), tuple(notes))


def _organization(site: Site) -> Ref:
    return Ref("organization", site.organization)


def _shared(site: Site) -> Iterator[Wanted]:
    own = {"organization": _organization(site)}
    yield wanted("organization", site.organization, summary="Products of Bedplate.")
    environment: dict[str, Any] = {}
    if site.execution_environment:
        image = {"image": site.execution_environment, "pull": "missing"}
        yield wanted("execution_environment", site.organization, fields=image, summary="Where products run.")
        environment = {"execution_environment": Ref("execution_environment", site.organization)}
    yield _project(site)
    yield wanted("inventory", site.inventory, fields=own, summary="The fleet.", managed=bool(site.inventory_source))
    for name in site.credentials:
        yield wanted("credential", name, fields=own, managed=False)
    if site.netbox_url:
        yield from _netbox(site)
    if site.inventory_source:
        yield wanted(
            "inventory_source",
            site.inventory,
            summary="Hosts from NetBox.",
            fields={
                "source": "scm",
                "inventory": Ref("inventory", site.inventory),
                "source_project": Ref("project", site.project),
                "source_path": site.inventory_source,
                "source_vars": json.dumps(_SOURCE_ENVIRONMENT),
                "credential": Ref("credential", NETBOX) if site.netbox_url else None,
                "overwrite": True,
                "overwrite_vars": True,
                "update_on_launch": True,
                "update_cache_timeout": 300,
                **environment,
            },
        )


def _project(site: Site) -> Wanted:
    fields = {"organization": _organization(site)}
    if not site.project_url:
        return wanted("project", site.project, fields=fields, managed=False)
    git = {"scm_type": "git", "scm_url": site.project_url, "scm_branch": site.project_branch}
    fresh = {"scm_update_on_launch": True, "scm_update_cache_timeout": 300}
    return wanted("project", site.project, fields={**fields, **git, **fresh}, summary="Playbooks and roles.")


def _netbox(site: Site) -> Iterator[Wanted]:
    inputs = [
        {"id": "url", "label": "URL", "type": "string"},
        {"id": "token", "label": "Token", "type": "string", "secret": True},
    ]
    yield wanted(
        "credential_type",
        NETBOX,
        summary="NetBox's address and token, as environment.",
        fields={
            "kind": "cloud",
            "inputs": {"fields": inputs, "required": ["url", "token"]},
            "injectors": {"env": {"NETBOX_API": "{{ url }}", "NETBOX_TOKEN": "{{ token }}"}},
        },
    )
    yield wanted(
        "credential",
        NETBOX,
        summary="What the inventory source reads NetBox with.",
        fields={"organization": _organization(site), "credential_type": Ref("credential_type", NETBOX)},
        secrets={"inputs": {"url": site.netbox_url, "token": site.netbox_token}},
        secret_state=secret_digest(f"{site.netbox_url} {site.netbox_token}", NETBOX),
    )


def _of_product(product: Product, site: Site) -> Iterator[Wanted]:
    survey = survey_of(product)
    approval = product.guardrails.approval is not None
    yield wanted(
        "job_template",
        product.name,
        summary=product.summary,
        fields=_template_fields(product, site, survey),
        survey=survey,
        labels=_labels(product),
        credentials=site.credentials,
        teams={"execute": ()} if approval else _runners(product),
        notifications=notifications_on(product, site),
        product=product.name,
    )
    if approval:
        yield _workflow(product, site, survey)
    kind = "workflow_job_template" if approval else "job_template"
    yield from _schedules(product, Ref(kind, product.name))


def _template_fields(product: Product, site: Site, survey: Any) -> dict[str, Any]:  # noqa: ANN401
    fields = {
        "project": Ref("project", site.project),
        "inventory": Ref("inventory", site.inventory),
        "playbook": product.playbook,
        "survey_enabled": survey is not None,
        "ask_job_type_on_launch": True,
        "ask_diff_mode_on_launch": True,
        "ask_verbosity_on_launch": True,
        **_limit(product),
        "allow_simultaneous": _at_once(product),
    }
    if site.execution_environment:
        fields["execution_environment"] = Ref("execution_environment", site.organization)
    return fields


def _at_once(product: Product) -> bool:
    """AWX runs any number of a template's jobs at once, or one: one where they must not meet on a host."""
    return not product.guardrails.exclusive and product.guardrails.concurrency != 1


def _limit(product: Product) -> dict[str, Any]:
    """A forced limit cannot be lifted at a launch; another is only what the form begins with."""
    forced = product.targets.force_limit
    return {"limit": forced or product.targets.default_limit or "", "ask_limit_on_launch": not forced}


def _workflow(product: Product, site: Site, survey: Any) -> Wanted:  # noqa: ANN401
    approval = product.guardrails.approval
    expires = int(approval.expires.total_seconds()) if approval and approval.expires else 0
    return wanted(
        "workflow_job_template",
        product.name,
        summary=product.summary,
        fields={
            "organization": _organization(site),
            "inventory": Ref("inventory", site.inventory),
            "survey_enabled": survey is not None,
            **_limit(product),
            "allow_simultaneous": _at_once(product),
        },
        survey=survey,
        labels=_labels(product),
        teams={**_runners(product), **_granted("approve", product.access.approve)},
        nodes=(Node("approve", timeout=expires), Node("run", template=product.name)),
        product=product.name,
    )


def _runners(product: Product) -> dict[str, tuple[str, ...]]:
    return {"execute": ()} if _unguarded(product) else _granted("execute", product.access.run)


def _granted(role: str, teams: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Where the catalog lets everybody, it is AWX's own matter whom it lets: nothing is wanted."""
    return {} if teams is None or EVERYBODY in teams else {role: tuple(sorted(teams))}


def _schedules(product: Product, template: Ref) -> Iterator[Wanted]:
    names = Counter[str]()  # those of one template must differ
    for schedule in product.schedule:
        if _schedule_fault(product, schedule):
            continue  # said in the notes
        name = f"{product.name}: {schedule.calendar} {schedule.timezone}"
        names[name] += 1
        yield wanted(
            "schedule",
            name if names[name] == 1 else f"{name} ({names[name]})",
            summary=product.summary,
            fields={
                "unified_job_template": template,
                "rrule": rrule_of(schedule.calendar, schedule.timezone),
                "extra_data": _answers(product, schedule),
                "limit": None if product.targets.force_limit else schedule.limit,
                "job_type": "check" if schedule.check else None,
            },
            product=product.name,
        )


def _answers(product: Product, schedule: Schedule) -> dict[str, Any]:
    """What the schedule answers, no defaults: the playbook's first task knows them."""
    values = resolve_parameters(product, schedule.parameters).values
    asked = [each for each in product.parameters if each.name in schedule.parameters and each.name in values]
    return {each.name: answer_of(each, values[each.name]) for each in asked}


def _schedule_fault(product: Product, schedule: Schedule) -> str | None:
    """Why AWX must not start this schedule."""
    if _unguarded(product):
        return f"AWX does not enforce {_unguarded(product)[0]}"
    if schedule.check and product.guardrails.approval:
        return "AWX cannot only check in a workflow, which approval needs"
    try:
        rrule_of(schedule.calendar, schedule.timezone)
    except UnfitCalendarError as error:
        return str(error)
    return None


def _labels(product: Product) -> tuple[str, ...]:
    stage = f"stage:{product.lifecycle.stage.value}"
    return tuple(sorted([LABEL, f"owner:{product.owner.team}", stage, *product.tags][:_LABELS]))


def _unguarded(product: Product) -> list[str]:
    """The limits that a launch from AWX's own page would get around."""
    targets = product.targets
    keys = [f"guardrails.{key}" for key in _NOT_IN_AWX if getattr(product.guardrails, key) is not None]
    keys += [f"targets.{key}" for key in ("max_hosts", "max_percent") if getattr(targets, key) is not None]
    return keys + (["targets.classes"] if targets.classes and set(targets.classes) != set(TargetClass) else [])


def _notes(product: Product) -> Iterator[str]:
    unguarded = _unguarded(product)
    if unguarded:
        keys = " and ".join(unguarded)
        yield f"{product.name}: AWX does not enforce {keys}, so no team may launch it there"
    approval = product.guardrails.approval
    if approval and approval.approvers > 1:
        yield f"{product.name}: AWX asks for one approval, not {approval.approvers}"
    concurrency = product.guardrails.concurrency or 0
    if concurrency > 1:
        said = "any number" if _at_once(product) else "one"
        yield f"{product.name}: AWX runs {said} at once, not {concurrency}"
    for schedule in product.schedule:
        fault = _schedule_fault(product, schedule)
        if fault:
            yield f"{product.name}: the schedule {schedule.calendar!r} is left out: {fault}"
        elif schedule.jitter or schedule.catch_up:
            yield f"{product.name}: AWX knows neither jitter nor catch_up of the schedule {schedule.calendar!r}"
