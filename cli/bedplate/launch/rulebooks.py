"""What guardrails read from files: freeze calendars, policies, and whether a playbook acts on batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bedplate.catalog.batch_keys import unread_keys
from bedplate.content import Content
from bedplate.errors import SettingsError
from bedplate.guardrails.calendars import Calendar, Freeze, parse_calendar
from bedplate.guardrails.moments import zone_of
from bedplate.settings import Settings

if TYPE_CHECKING:
    from bedplate.guardrails.policies import Policies

_ENDINGS = (".yml", ".yaml", ".ics")


@dataclass(frozen=True)
class Calendars:
    """Freeze calendars, by name.

    Attributes:
        faults: why a calendar cannot be read, by name.
    """

    known: Mapping[str, Calendar]
    faults: Mapping[str, str]

    def at(self, now: datetime) -> dict[str, Freeze | None]:
        """Return the freeze that holds at a moment, by calendar."""
        return {name: calendar.at(now) for name, calendar in self.known.items()}


def read_calendars(settings: Settings, names: Sequence[str]) -> Calendars:
    """Return the calendars that hold for every product, and those of these names; what cannot be read is a fault."""
    known: dict[str, Calendar] = {}
    faults: dict[str, str] = {}
    for name in dict.fromkeys([*settings.guardrails.freeze, *names]):
        try:
            known[name] = parse_calendar(_calendar_text(settings, name))
        except OSError as error:
            faults[name] = f"cannot be read: {error.strerror or error}"
        except ValueError as fault:
            faults[name] = f"is wrong: {fault}"
    return Calendars(known, faults)


def load_policies(settings: Settings) -> Policies | None:
    """Return the organisation's policies; None where no folder is named.

    Raises:
        SettingsError: the folder or a policy cannot be read, or there is none in it.
    """
    if not settings.guardrails.policies:
        return None
    from bedplate.guardrails.policies import Policies  # noqa: PLC0415 (Cedar takes a while to load)

    folder = Path(settings.guardrails.policies).expanduser()
    try:
        files = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.cedar"))}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot be read: {error}", where=str(folder)) from error
    if not files:
        raise SettingsError("there is no policy (*.cedar)", where=str(folder), hint="guardrails.policies names it")
    try:
        return Policies(files)
    except ValueError as fault:
        raise SettingsError(str(fault), where=str(folder)) from None


def zone_of_policies(settings: Settings) -> ZoneInfo:
    """Return the time zone in which policies see the time. Raises SettingsError if there is none of that name."""
    try:
        return zone_of(settings.guardrails.timezone)
    except ValueError as fault:
        raise SettingsError(str(fault), where="guardrails.timezone") from None


def unread_batches(content: Content, playbook: str, asked: Sequence[str]) -> tuple[str, ...]:
    """Return which of the keys over batches a playbook does not act on."""
    if not asked:
        return ()
    text = (content.root / playbook).read_text(encoding="utf-8", errors="replace")
    return unread_keys(text, asked)


def _calendar_text(settings: Settings, name: str) -> str:
    if not settings.guardrails.calendars:
        raise ValueError("no folder is named in guardrails.calendars")
    folder = Path(settings.guardrails.calendars).expanduser()
    found = [file for ending in _ENDINGS if (file := folder / f"{name}{ending}").is_file()]
    if not found:
        raise ValueError(f"there is no {name}.yml or {name}.ics in {folder}")
    return found[0].read_text(encoding="utf-8")
