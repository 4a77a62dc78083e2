"""NetBox beyond the inventory: who changed a record, and the journal of a host. By pynetbox, where it is configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bedplate.drift.finding import Finding
from bedplate.drift.observation import RECORD_KIND, By, Confidence
from bedplate.errors import ExternalError, SettingsError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.fleet import HostRecord

_TYPES = {"device": "dcim.device", "virtual_machine": "virtualization.virtualmachine"}
# As the inventory plugin and what writes to NetBox in a playbook have them: the first that is set.
_ADDRESSES = ("NETBOX_URL", "NETBOX_API")
_TOKENS = ("NETBOX_TOKEN", "NETBOX_API_TOKEN")
_TOKEN_FILE = "NETBOX_TOKEN_FILE"  # noqa: S105 (its name)
_SECONDS = 30
# What is another in every change.
_ALWAYS = frozenset({"last_updated", "created"})
_MOST_FIELDS = 10
_HEAD = "Bedplate found that this record and the host differ:"
_T = TypeVar("_T")


class NetBox:
    """One NetBox.

    Args:
        url: its address.
        token: of an account that may see the changelog, and write journal entries where these are asked for.
    """

    def __init__(self, url: str, token: str) -> None:
        import pynetbox  # noqa: PLC0415 (it is slow to import, and rarely needed)

        self._client = pynetbox.api(url, token=token)
        self._client.http_session.request = _with_timeout(self._client.http_session.request)

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> NetBox | None:
        """Return the one that the environment names; None where it does not.

        NETBOX_URL or NETBOX_API is its address; NETBOX_TOKEN, NETBOX_API_TOKEN or the file NETBOX_TOKEN_FILE the token.

        Raises:
            SettingsError: the file with the token cannot be read.
        """
        env = os.environ if env is None else env
        url = _first_of(env, _ADDRESSES)
        token = url and (_first_of(env, _TOKENS) or _token_of_file(env.get(_TOKEN_FILE)))
        return cls(url, token) if token else None

    def last_change(self, record: HostRecord, since: datetime | None) -> By | None:
        """Return the last change of a host's own record since a moment; None where its changelog has none.

        Raises:
            ExternalError: NetBox does not answer, or refuses.
        """
        named = _named(record, "changed_object_type", "changed_object_id")
        if named is None:
            return None
        after = {"time_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if since else {}
        entries = self._asked(lambda: list(self._client.core.object_changes.filter(**named, **after)))
        mine = [entry for entry in map(dict, entries) if entry.get("changed_object_id") == record.id]
        times = [(time, entry) for entry in mine if (time := _moment(entry.get("time")))]
        last = max(times, key=lambda each: each[0], default=None)
        return _by(record, *last) if last else None

    def note(self, record: HostRecord, findings: Iterable[Finding]) -> bool:
        """Write what a host has otherwise than its record into its journal, each finding once; return whether it did.

        Raises:
            ExternalError: NetBox does not answer, or refuses.
        """
        named = _named(record, "assigned_object_type", "assigned_object_id")
        marks = {mark_of(one): one for one in findings if one.observed.kind == RECORD_KIND and one.state.is_open}
        if named is None or not marks:
            return False
        journal = self._client.extras.journal_entries
        written = " ".join(str(entry.comments) for entry in self._asked(lambda: list(journal.filter(**named))))
        fresh = {mark: finding for mark, finding in marks.items() if mark not in written}
        if fresh:
            comments = "\n".join([_HEAD, "", *map(_line, fresh.items())])
            self._asked(lambda: journal.create(**named, kind="warning", comments=comments))
        return bool(fresh)

    @staticmethod
    def _asked(call: Callable[[], _T]) -> _T:
        import pynetbox  # noqa: PLC0415 (as above)
        from requests import RequestException  # noqa: PLC0415 (it comes with pynetbox)

        try:
            return call()
        except pynetbox.RequestError as error:
            raise ExternalError(f"refused: {' '.join(str(error).split())[:300]}", where="NetBox") from error
        except (RequestException, pynetbox.ContentError) as error:
            raise ExternalError(f"does not answer: {type(error).__name__}", where="NetBox") from error


class Journal:
    """Writes findings into the journals of their hosts.

    Args:
        adapter: knows which records the hosts are.
    """

    def __init__(self, netbox: NetBox, adapter: InventoryAdapter) -> None:
        self._netbox = netbox
        self._adapter = adapter

    def write(self, findings: Iterable[Finding]) -> list[str]:
        """Write each open finding of kind `record` once; return the hosts with a new entry.

        Raises:
            ExternalError: NetBox does not answer, or refuses; entries that were made stay.
        """
        records = self._adapter.records
        by_host: dict[str, list[Finding]] = {}
        for finding in findings:
            if finding.observed.kind == RECORD_KIND and finding.observed.host in records:
                by_host.setdefault(finding.observed.host, []).append(finding)
        return [host for host, found in by_host.items() if self._netbox.note(records[host], found)]


def netbox_of_journal() -> NetBox:
    """Return the NetBox whose journal is written. Raises SettingsError if the environment does not name one."""
    netbox = NetBox.from_environment()
    if netbox is None:
        hint = f"a token that may write journal entries, or a file with it in {_TOKEN_FILE}"
        raise SettingsError(f"the journal needs {_ADDRESSES[0]} and {_TOKENS[0]}", where="environment", hint=hint)
    return netbox


def mark_of(finding: Finding) -> str:
    """Return what tells that a journal has a finding: one that is back later is another."""
    return f"[{finding.id} {finding.opened_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}]"


def _first_of(env: Mapping[str, str], names: Iterable[str]) -> str:
    return next((env[name] for name in names if env.get(name)), "")


def _token_of_file(name: str | None) -> str:
    if not name:
        return ""
    path = Path(name).expanduser()
    what = f"the file with NetBox's token ({_TOKEN_FILE}: {path})"
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{what} cannot be read: {why}", where="environment") from None
    if not token:
        raise SettingsError(f"{what} is empty", where="environment")
    return token


def _named(record: HostRecord, of_type: str, of_id: str) -> dict[str, Any] | None:
    return {of_type: _TYPES[record.type], of_id: record.id} if record.id is not None else None


def _line(entry: tuple[str, Finding]) -> str:
    mark, finding = entry
    seen = finding.observed
    return f"- {seen.key}: NetBox says {_quoted(seen.before)}, the host {_quoted(seen.after)} {mark}"


def _quoted(text: str | None) -> str:
    """Return a value as Markdown shows it unchanged."""
    return "nothing" if text is None else f"`{''.join(one for one in text if one.isprintable()).replace('`', '')}`"


def _by(record: HostRecord, time: datetime, entry: Mapping[str, Any]) -> By:
    fields = _changed(entry.get("prechange_data"), entry.get("postchange_data"))
    action = entry.get("action")
    verb = action.get("value") if isinstance(action, Mapping) else action
    command = f"{verb or 'change'} of {record.type.replace('_', ' ')} {record.name}"
    command += f": {', '.join(fields)}" if fields else ""
    evidence = f"netbox: change {entry.get('id')} in the changelog"
    return By(str(entry.get("user_name") or "") or None, command, evidence, time, "netbox", Confidence.CERTAIN)


def _changed(before: Any, after: Any) -> Sequence[str]:  # noqa: ANN401
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ()
    names = sorted(map(str, before.keys() | after.keys()))
    return [name for name in names if name not in _ALWAYS and before.get(name) != after.get(name)][:_MOST_FIELDS]


def _moment(text: Any) -> datetime | None:  # noqa: ANN401
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _with_timeout(request: Callable[..., Any]) -> Callable[..., Any]:
    def limited(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        return request(*arguments, **{"timeout": _SECONDS, **options})

    return limited
