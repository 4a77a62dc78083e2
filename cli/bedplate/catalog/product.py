"""Products: what a manifest says about a curated playbook."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StrictBool, StrictInt, StrictStr, model_validator

from bedplate.catalog.model import Day, Fault, ManifestModel, OneLine, Slug, Span, raise_faults
from bedplate.catalog.parameter import Parameter
from bedplate.catalog.rules import UnfitValueError, convert
from bedplate.catalog.service import Cost, Milestone, Notification, Objective, Schedule, ServiceLevel

Percent = Annotated[float, Field(gt=0, le=100)]
Count = Annotated[StrictInt, Field(ge=1)]


class Stage(StrEnum):
    """How far a product is."""

    EXPERIMENTAL = "experimental"
    BETA = "beta"
    GA = "ga"
    DEPRECATED = "deprecated"


class TargetClass(StrEnum):
    """The classes of hosts, as the variable `bedplate_class` has them."""

    BARE_METAL = "bare_metal"
    COLO = "colo"
    CLOUD = "cloud"


class Owner(ManifestModel):
    """The team that answers for a product."""

    team: Slug = Field(description="The team's name.", examples=["platform"])
    contact: OneLine = Field(description="Where to ask: an address, a channel, a page.", examples=["#platform"])
    escalation: OneLine | None = Field(default=None, description="Whom to call when the contact does not answer.")


class Lifecycle(ManifestModel):
    """How far a product is, and until when it is there."""

    stage: Annotated[Stage, Field(strict=False)] = Field(description="How far the product is.")
    since: Day | None = Field(default=None, description="The day on which this stage began.")
    sunset: Day | None = Field(default=None, description="The last day on which the product can be ordered.")
    replaced_by: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = Field(
        default=None, description="The product to order instead."
    )

    @model_validator(mode="after")
    def _check(self) -> Lifecycle:
        raise_faults(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.stage is Stage.DEPRECATED and not (self.sunset or self.replaced_by):
            yield Fault(("stage",), "deprecated needs replaced_by or sunset")
        if self.since and self.sunset and self.sunset <= self.since:
            yield Fault(("sunset",), f"must be after since, which is {self.since}")


class Targets(ManifestModel):
    """Which hosts a product may run on, and on how many at once."""

    classes: Annotated[list[Annotated[TargetClass, Field(strict=False)]], Field(min_length=1)] | None = Field(
        default=None, description="The classes of hosts that it may run on; all when left out."
    )
    context: Literal["hosts", "fleet"] = Field(
        default="hosts",
        description="What the playbook knows: the run's own hosts, or also the observers and, by the lookup"
        " bedplate.datacenter.fleet, who the others of the fleet are.",
    )
    default_limit: OneLine | None = Field(
        default=None, description="The host pattern of a run that names none.", examples=["role_server"]
    )
    force_limit: OneLine | None = Field(
        default=None, description="A host pattern that every run is cut to; no option lifts it."
    )
    max_hosts: Count | None = Field(default=None, description="The most hosts of one run.")
    max_percent: Percent | None = Field(default=None, description="The most hosts of one run, in percent of the fleet.")


class Access(ManifestModel):
    """Teams that may see, run or approve; everybody when left out."""

    view: Annotated[list[Slug], Field(min_length=1)] | None = Field(default=None, description="Teams that see it.")
    run: Annotated[list[Slug], Field(min_length=1)] | None = Field(default=None, description="Teams that run it.")
    approve: Annotated[list[Slug], Field(min_length=1)] | None = Field(
        default=None, description="Teams that approve its runs."
    )


class Approval(ManifestModel):
    """The consent of somebody else that a run needs."""

    approvers: Count = Field(default=1, description="How many people must approve.")
    expires: Span | None = Field(default=None, description="How long an approval holds.")


class Window(ManifestModel):
    """When hosts may be changed: a NetBox custom field of the host, or fixed hours."""

    custom_field: Slug | None = Field(default=None, description="The NetBox custom field with the host's window.")
    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)] | None = Field(
        default=None, description="Days of the week; all when left out."
    )
    start: Annotated[StrictStr, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = Field(
        default=None, description="When it opens.", examples=["22:00"]
    )
    end: Annotated[StrictStr, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = Field(
        default=None, description="When it closes, on the next day where that is earlier.", examples=["04:00"]
    )
    timezone: Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$")] = Field(
        default="UTC", description="Name of the time zone.", examples=["Europe/Berlin"]
    )

    @model_validator(mode="after")
    def _check(self) -> Window:
        hours = (self.start is not None, self.end is not None)
        if hours[0] != hours[1]:
            raise_faults([Fault(("end" if hours[0] else "start",), "start and end go together")])
        if (self.custom_field is None) == (not all(hours)):
            raise_faults([Fault(("custom_field",), "a window is either custom_field or start and end")])
        if self.custom_field is not None and (self.days is not None or "timezone" in self.model_fields_set):
            key = "timezone" if self.days is None else "days"
            raise_faults([Fault((key,), "is said by the custom field of each host; leave it out")])
        if not _is_zone(self.timezone):
            raise_faults([Fault(("timezone",), f"there is no time zone {self.timezone}")])
        if self.start is not None and self.start == self.end:
            raise_faults([Fault(("end",), "must not be the same as start")])
        return self


class Guardrails(ManifestModel):
    """What limits a run besides its targets."""

    approval: Approval | None = Field(default=None, description="Consent of somebody else.")
    exclusive: StrictBool = Field(
        default=True, description="No other run changes the same hosts meanwhile; false for what only reads."
    )
    concurrency: Count | None = Field(default=None, description="The most runs of this product at once.")
    freeze: Annotated[list[Slug], Field(min_length=1)] | None = Field(
        default=None, description="Calendars whose entries forbid runs.", examples=[["company"]]
    )
    window: Window | None = Field(default=None, description="When hosts may be changed.")
    dry_run_first: Span | None = Field(
        default=None, description="A successful check of the same run must not be older."
    )
    canary: Count | None = Field(default=None, description="How many hosts go first, alone.")
    serial_by: Literal["region", "site", "rack", "cluster"] | None = Field(
        default=None, description="The failure domain of which only one is changed at a time."
    )
    max_fail_percent: Annotated[float, Field(ge=0, le=100)] | None = Field(
        default=None, description="Stop when more hosts of a batch fail, in percent."
    )


class Product(ManifestModel):
    """A curated playbook on offer."""

    name: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64, examples=["patch"])] = Field(
        description="What people type; the same as the file's name."
    )
    title: OneLine = Field(description="The product's name for people.")
    summary: OneLine = Field(description="What it does, in one line.")
    description: StrictStr | None = Field(default=None, description="What it does, changes and needs, in paragraphs.")
    owner: Owner = Field(description="Who answers for it.")
    lifecycle: Lifecycle = Field(description="How far it is.")
    sla: ServiceLevel | None = Field(default=None, description="What its owner promises when something is wrong.")
    slo: list[Objective] = Field(default_factory=list, description="What its runs are measured by.")
    cost: Cost | None = Field(default=None, description="What it costs.")
    roadmap: list[Milestone] = Field(default_factory=list, description="What comes next.")
    docs: Annotated[StrictStr, Field(pattern=r"^(https://\S+|[A-Za-z0-9_][A-Za-z0-9_./-]*\.md)$")] | None = Field(
        default=None, description="Its page: a Markdown file in this repository, or a URL.", examples=["docs/x.md"]
    )
    tags: list[Slug] = Field(default_factory=list, description="Words to find it by.")
    playbook: Annotated[StrictStr, Field(pattern=r"^playbooks/[a-z][a-z0-9_]*\.yml$")] = Field(
        description="The playbook, from the root of the repository.", examples=["playbooks/patch.yml"]
    )
    targets: Targets = Field(default_factory=Targets, description="Which hosts, and how many at once.")
    parameters: list[Parameter] = Field(default_factory=list, description="What it asks, in the order of a form.")
    access: Access = Field(default_factory=Access, description="Who may see, run and approve.")
    guardrails: Guardrails = Field(default_factory=Guardrails, description="What limits a run.")
    idempotent: StrictBool = Field(default=False, description="Whether an interrupted run may be started again.")
    schedule: list[Schedule] = Field(default_factory=list, description="When it runs by itself.")
    notifications: list[Notification] = Field(default_factory=list, description="Who hears of results.")

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of this name, if there is one."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    @property
    def secret_names(self) -> frozenset[str]:
        return frozenset(parameter.name for parameter in self.parameters if parameter.is_secret)

    @model_validator(mode="after")
    def _check(self) -> Product:
        raise_faults([*self._parameter_faults(), *self._lifecycle_faults()])
        return self

    def _lifecycle_faults(self) -> Iterator[Fault]:
        if self.lifecycle.replaced_by == self.name:
            yield Fault(("lifecycle", "replaced_by"), "a product cannot replace itself")

    def _parameter_faults(self) -> Iterator[Fault]:
        seen: dict[str, Parameter] = {}
        for index, parameter in enumerate(self.parameters):
            if parameter.name in seen:
                yield Fault(("parameters", index, "name"), f"there is another parameter {parameter.name}")
            for name, answer in (parameter.when or {}).items():
                fault = _condition_fault(seen.get(name), name, answer)
                if fault:
                    yield Fault(("parameters", index, "when", name), fault)
            seen[parameter.name] = parameter


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # what it raises for a name that is no file, or a folder
        return False
    return True


def _condition_fault(asked: Parameter | None, name: str, answer: bool | int | str) -> str | None:
    if asked is None:
        return f"no parameter {name} is defined further up"
    if asked.is_secret or asked.type in {"choices", "text"}:
        return f"a condition cannot be on {asked.type} parameters"
    try:
        canonical = convert(asked, answer)
    except UnfitValueError as unfit:
        return str(unfit)
    return None if canonical == answer else f"must be written as {canonical!r}"
