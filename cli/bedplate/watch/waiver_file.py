"""Waivers in a file under version control, in the form that InSpec made known: the file leads, the store follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from bedplate.drift.repository import DriftRepository
from bedplate.drift.waivers import Scope, Waiver
from bedplate.errors import UsageError
from bedplate.execution.inventory_cache import private_folder, write_private

_HEAD = """\
# Findings that somebody accepted: `bedplate drift waive` and `unwaive` write this file, people may, too.
# Each key says which resource, on which hosts; expiration_date is the last day on which it holds.
---
"""
_KEYS = ("expiration_date", "run", "justification", "owner", "created_by", "created_at")
_SHARED = 0o644


class WaiverBook:
    """The waivers that there are: those of the file, once there is one.

    Args:
        drift: keeps what the file says, for those who do not see it.
    """

    def __init__(self, drift: DriftRepository, file: Path) -> None:
        self._drift = drift
        self._file = file

    def all(self) -> Sequence[Waiver]:
        """Return all waivers, those that have expired too; the store then says the same as the file.

        Raises:
            UsageError: the file cannot be read, or an entry of it is no waiver.
            StoreError: the store cannot be read or written.
        """
        kept = {waiver.id: waiver for waiver in self._drift.waivers()}
        if not self._file.exists():
            return list(kept.values())
        told = _read(self._file, kept)
        for waiver_id in kept.keys() - told.keys():
            self._drift.remove_waiver(waiver_id)
        for waiver_id, waiver in told.items():
            if kept.get(waiver_id) != waiver:
                self._drift.put_waiver(waiver)
        return [told[waiver_id] for waiver_id in sorted(told)]

    def add(self, waiver: Waiver) -> None:
        """Accept a finding, over a waiver with the same scope. Raises as `all` does."""
        self._write({**{one.id: one for one in self.all()}, waiver.id: waiver})

    def remove(self, waiver_id: str) -> None:
        """Take a waiver back. Raises UsageError if there is none of this id, and as `all` does."""
        waivers = {one.id: one for one in self.all()}
        if waivers.pop(waiver_id, None) is None:
            raise UsageError(f"no waiver {waiver_id}", hint="bedplate drift waivers shows them")
        self._write(waivers)

    def _write(self, waivers: Mapping[str, Waiver]) -> None:
        document = {waiver_id: _entry(waivers[waiver_id]) for waiver_id in sorted(waivers)}
        text = _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
        try:
            private_folder(self._file.absolute().parent)
            write_private(self._file, text.encode(), mode=_SHARED)
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=str(self._file)) from error
        self.all()


def _entry(waiver: Waiver) -> dict[str, Any]:
    entry: dict[str, Any] = {} if waiver.expires is None else {"expiration_date": waiver.expires}
    return entry | {
        "run": True,  # it is looked at all the same, and only not reported
        "justification": waiver.reason,
        "owner": waiver.owner,
        "created_by": waiver.created_by,
        "created_at": waiver.created_at.isoformat(),
    }


def _read(file: Path, kept: Mapping[str, Waiver]) -> dict[str, Waiver]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"is not valid YAML: {' '.join(str(error).split())}", where=str(file)) from error
    if not isinstance(document, dict):
        raise UsageError("must be a mapping from scopes to waivers", where=str(file))
    return {str(key): _waiver(file, str(key), entry, kept.get(str(key))) for key, entry in document.items()}


def _waiver(file: Path, key: str, entry: Any, before: Waiver | None) -> Waiver:  # noqa: ANN401
    where = f"{file}: {key}"
    if not isinstance(entry, dict):
        raise UsageError("must be a mapping", where=where, hint="justification and owner are needed")
    unknown = [str(name) for name in entry if name not in _KEYS]
    if unknown:
        raise UsageError(f"unknown {', '.join(unknown)}", where=where, hint=f"known are {', '.join(_KEYS)}")
    for name in ("justification", "owner"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise UsageError(f"{name} is missing", where=where)
    try:
        scope = Scope.parse(key)
    except UsageError as error:
        raise UsageError(error.message, where=str(file), hint=error.hint) from error
    created_at = _moment(entry.get("created_at"), where) or (before.created_at if before else datetime.now(UTC))
    created_by = entry.get("created_by") or (before.created_by if before else entry["owner"])
    expires = _day(entry.get("expiration_date"), where)
    return Waiver(scope, entry["justification"], entry["owner"], str(created_by), created_at, expires)


def _day(value: Any, where: str) -> date | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"expiration_date {value!r} is no day", where=where, hint="write 2026-12-31") from None


def _moment(value: Any, where: str) -> datetime | None:  # noqa: ANN401
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"created_at {value!r} is no time", where=where) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
