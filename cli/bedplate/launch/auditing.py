"""Writes the audit log, and says outside of the store where it ended."""

from __future__ import annotations

import os
import syslog
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.errors import SettingsError, StoreError
from bedplate.execution.machine import Machine
from bedplate.guardrails.audit import Anchor, AuditFault, AuditRecord, AuditRepository, anchor, read_anchors, verify
from bedplate.persons import person_of
from bedplate.runs import Run
from bedplate.settings import AuditSettings, Settings

_LEAST_KEY = 16


class Auditor:
    """Keeps what was asked, approved, refused and done."""

    def __init__(self, log: AuditRepository, settings: Settings, machine: Machine) -> None:
        self._log = log
        self._settings = settings
        self._machine = machine

    def record(self, kind: str, run: Run, **details: Any) -> None:  # noqa: ANN401
        """Add an entry about a run, and anchor it.

        Raises:
            StoreError: the store, or the file of anchors, cannot be written.
            SettingsError: the teams file or the key cannot be read.
        """
        key = read_key(self._settings.audit)
        person = person_of(self._settings)
        now = datetime.now(UTC)
        record = AuditRecord(
            kind, now, person.name, person.login, self._machine.host_id, run.id, run.product, _without_empty(details)
        )
        entry = self._log.append(record)
        if key is not None:
            tell(self._settings.audit, anchor(entry, key, now))

    def verify(self) -> tuple[list[AuditFault], int | None]:
        """Return what is wrong with the log, and how many anchors it was held against; None without a key.

        Raises:
            StoreError: the store cannot be read.
            SettingsError: the key or the file of anchors cannot be read.
        """
        settings = self._settings.audit
        key = read_key(settings)
        if key is None or not settings.anchor_file:
            return verify(self._log.entries()), None
        anchors, faults = read_anchors(_lines(Path(settings.anchor_file).expanduser()), key)
        return faults + verify(self._log.entries(), anchors), len(anchors)


def asked_details(run: Run) -> dict[str, Any]:
    """Return what an entry says of an order; secret parameters are redacted in a run."""
    return {
        "parameters": run.parameters,
        "limit": run.limit,
        "hosts": list(run.hosts),
        "mode": run.mode.value,
        "reason": run.reason,
        "content": run.content_digest,
    }


def read_key(settings: AuditSettings) -> bytes | None:
    """Return the key that signs anchors; None where none is named. Raises SettingsError."""
    if not settings.key_file:
        return None
    file = Path(settings.key_file).expanduser()
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file), hint="audit.key_file") from error
    if len(key) < _LEAST_KEY:
        raise SettingsError(f"must have at least {_LEAST_KEY} bytes", where=str(file), hint="openssl rand -hex 32")
    return key


def tell(settings: AuditSettings, anchored: Anchor) -> None:
    """Say an anchor in the file and in syslog. Raises StoreError if the file cannot be written."""
    if settings.anchor_file:
        file = Path(settings.anchor_file).expanduser()
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.write(descriptor, f"{anchored.line}\n".encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(f"the audit log cannot be anchored: {error.strerror}", where=str(file)) from error
    if settings.syslog:
        syslog.openlog("bedplate", syslog.LOG_PID, syslog.LOG_AUTH)
        syslog.syslog(syslog.LOG_NOTICE, anchored.line)
        syslog.closelog()


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file), hint="audit.anchor_file") from error


def _without_empty(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}
