"""What a product promises, costs and plans, and when it runs by itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from bedplate.catalog.durations import parse_duration
from bedplate.catalog.model import Duration, Fault, ManifestModel, OneLine, Span, raise_faults
from bedplate.catalog.rules import show


class ServiceLevel(ManifestModel):
    """What its owner promises when something is wrong."""

    support_hours: OneLine = Field(description="When somebody answers.", examples=["Mon-Fri 09:00-17:00 Europe/Berlin"])
    response: Duration = Field(description="How soon somebody answers in these hours.")


class Objective(ManifestModel):
    """A service level objective: what is measured, the target, and over how long."""

    objective: Literal["success_ratio", "duration_p95", "lead_time_p95"] = Field(description="What is measured.")
    target: StrictFloat | StrictInt | StrictStr = Field(
        description="A ratio such as 0.99 for success_ratio, else a duration such as 15m.", examples=[0.99, "15m"]
    )
    window: Span = Field(description="Over how long.", examples=["30d"])

    @model_validator(mode="after")
    def _check(self) -> Objective:
        if self.objective == "success_ratio":
            if isinstance(self.target, str) or not 0 < self.target <= 1:
                raise_faults([Fault(("target",), f"must be a ratio over 0 and up to 1, not {show(self.target)}")])
        else:
            raise_faults(_duration_faults(self.target))
        return self


def _duration_faults(target: float | str) -> list[Fault]:
    try:
        parse_duration(str(target))
    except ValueError as error:
        return [Fault(("target",), str(error))]
    return []


class Cost(ManifestModel):
    """What a run, a host or an hour of a host costs."""

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(description="How much.")
    currency: Annotated[StrictStr, Field(pattern=r"^[A-Z]{3}$")] = Field(
        description="The currency's ISO 4217 code.", examples=["EUR"]
    )
    per: Literal["run", "host", "host_hour"] = Field(description="For what.")


class Milestone(ManifestModel):
    """One line of the roadmap."""

    when: Annotated[StrictStr, Field(pattern=r"^[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")] = (
        Field(description="A year, quarter, month or day.", examples=["2027-Q1", "2027-03"])
    )
    what: OneLine = Field(description="What will be there.")
    status: Literal["planned", "in_progress", "done", "dropped"] = Field(default="planned", description="How it goes.")


class Schedule(ManifestModel):
    """When a product runs by itself."""

    calendar: OneLine = Field(description="When, as systemd writes calendar events.", examples=["Mon..Fri 02:30"])
    timezone: Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$")] = Field(
        default="UTC", description="Name of the time zone.", examples=["Europe/Berlin"]
    )
    jitter: Duration | None = Field(default=None, description="Start up to so much later, by chance.")
    catch_up: StrictBool = Field(default=False, description="Whether a start that was missed is made up for.")
    check: StrictBool = Field(default=False, description="Whether it only says what it would change.")
    limit: OneLine | None = Field(default=None, description="The host pattern.")
    parameters: dict[StrictStr, Any] = Field(default_factory=dict, description="The answers, by parameter.")


class Notification(ManifestModel):
    """Who hears of which results."""

    outcomes: Annotated[
        list[Literal["successful", "failed", "canceled", "refused", "expired"]], Field(min_length=1)
    ] = Field(description="Of which results.")
    to: Annotated[list[OneLine], Field(min_length=1)] = Field(description="Names of receivers, without credentials.")
