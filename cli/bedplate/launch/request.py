"""What is ordered, what it became, and what was put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from bedplate.guardrails import Order, Verdict
from bedplate.runs import LOCAL, Run


@dataclass(frozen=True)
class LaunchRequest:
    """An order.

    Attributes:
        parameters: answers as they were given: text from the command line, typed values from a file.
        limit: a pattern; None for the product's default.
        hosts: exactly these hosts instead of a pattern, as a rerun has them.
        check: only say what would change.
        reason: why, in the person's words.
        rerun_of: id of the run that this one repeats.
        unknown_secrets: secret parameters of the repeated run, which have to be asked for again.
        resumes: the run that waits for approval and shall go on.
        engine: what is to execute it: `local` or `awx`.
        patience: how long to wait for hosts, or for the product's place, that others have; None refuses then.
    """

    product: str
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    limit: str | None = None
    hosts: Sequence[str] | None = None
    check: bool = False
    diff: bool = False
    reason: str | None = None
    rerun_of: str | None = None
    unknown_secrets: Sequence[str] = ()
    resumes: Run | None = None
    engine: str = LOCAL
    patience: timedelta | None = None


@dataclass(frozen=True)
class PreparedRun:
    """An order that was checked and is not accepted yet.

    Attributes:
        run: the run as it will be stored; secret parameters are redacted in it.
        playbook: name (FQCN) or path.
        context: `fleet` if the product must know all hosts, else `hosts`.
        environment: variables that ansible needs to read the inventory.
        variables: all extra variables, with secrets.
        secrets: texts that must appear nowhere.
        expected: seconds that earlier runs took, scaled to these hosts; None when there are none.
        warnings: sentences that a person should see before the run.
        order: what the guardrails looked at.
        verdicts: what each of them said.
        calendars: the product's own freeze calendars.
        resumed: the run was pending, and goes on.
        limit: what an engine with an inventory of its own is to be limited to.
        patience: how long it waits for its turn.
        request: the order itself, to be judged anew when it waited.
    """

    run: Run
    playbook: str
    context: Literal["hosts", "fleet"] = "hosts"
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)
    expected: float | None = None
    warnings: Sequence[str] = ()
    order: Order | None = None
    verdicts: Sequence[Verdict] = ()
    calendars: Sequence[str] = ()
    resumed: bool = False
    limit: str = ""
    patience: timedelta | None = None
    request: LaunchRequest | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Recovery:
    """What `recover` put right.

    Attributes:
        expired: ids of runs whose process had died.
        saved: ids of runs whose events were written to the store belatedly.
    """

    expired: Sequence[str] = ()
    saved: Sequence[str] = ()
