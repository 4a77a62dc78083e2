"""What is to run when: the schedules of manifests with the command that each starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bedplate.catalog import Product, resolve_parameters
from bedplate.catalog.calendar import parse_calendar
from bedplate.catalog.service import Schedule
from bedplate.errors import BedplateError, UsageError

_PATIENCE = "1h"  # nobody is there to order again what another run kept from starting


@dataclass(frozen=True)
class Program:
    """The `bedplate` that a schedule starts.

    Attributes:
        path: the executable.
        options: options before the command, such as `--inventory`.
        environment: variables that it needs; nothing secret.
        folder: where it starts, so that it finds the project's bedplate.toml.
    """

    path: Path
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True)
class Entry:
    """One schedule of one product, named as its units are."""

    name: str
    product: Product
    schedule: Schedule
    command: tuple[str, ...]

    @property
    def calendar(self) -> str:
        """The calendar event with its time zone, as systemd takes it."""
        return f"{self.schedule.calendar} {self.schedule.timezone}"


def entries_of(products: Iterable[Product], program: Program) -> list[Entry]:
    """Return what is to run by itself.

    Raises:
        UsageError: a schedule cannot be kept; says whose, and why.
    """
    return [entry for product in products for entry in _entries(product, program)]


def _entries(product: Product, program: Program) -> Iterator[Entry]:
    for number, schedule in enumerate(product.schedule, start=1):
        where = f"{product.name}: schedule[{number - 1}]"
        try:
            parse_calendar(schedule.calendar)
            values = resolve_parameters(product, schedule.parameters)
        except ValueError as error:
            raise UsageError(f"calendar {error}", where=where) from error
        except BedplateError as error:
            raise UsageError(str(error), where=where) from error
        if values.secret_names:
            raise UsageError(f"must not give the secret {min(values.secret_names)}", where=where)
        words = [str(program.path), *program.options, "run", product.name, "--reason", "scheduled", "--wait", _PATIENCE]
        words += ["--refresh"]  # nobody is there either to see that a host of this minute is left out
        words += ["--check"] if schedule.check else []
        words += ["--limit", schedule.limit] if schedule.limit else []
        for name in schedule.parameters:
            words += ["--parameter", f"{name}={_text(values.values[name])}"]
        suffix = f"-{number}" if len(product.schedule) > 1 else ""
        yield Entry(f"bedplate-{product.name}{suffix}", product, schedule, tuple(words))


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return "\n".join(value) + "\n" if isinstance(value, list) else str(value)
