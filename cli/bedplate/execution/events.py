"""From what ansible-runner reports to events: small, and without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bedplate.execution.redaction import Redactor
from bedplate.runs import Event

LARGEST = 64 * 1024
_LARGEST_TEXT = 8 * 1024
_VERBOSE = "verbose"
# What of `event_data` is no part of `Event.data`: it has a place of its own, or says nothing about the run.
_ELSEWHERE = frozenset(
    [
        "artifact_data",
        "created",
        "duration",
        "end",
        "event",
        "event_loop",
        "host",
        "is_conditional",
        "name",
        "parent_uuid",
        "pid",
        "play",
        "play_pattern",
        "play_uuid",
        "playbook",
        "playbook_uuid",
        "remote_addr",
        "resolved_action",
        "resolved_role",
        "role",
        "start",
        "task",
        "task_action",
        "task_args",
        "task_uuid",
        "uuid",
        "verbosity",
    ]
)
_OF_RESULT = {"_ansible_item_label": "item_label", "_ansible_no_log": "no_log"}


@dataclass(frozen=True)
class Report:
    """What came from ansible: an event, or something that was only printed.

    Attributes:
        document: the event as JSON, with what it printed; None for what was only printed.
    """

    document: bytes | None = None
    printed: str = ""


def event_of(counter: int, report: Report, redactor: Redactor) -> Event:
    """Return the event in a report, without secrets and cut to `LARGEST` bytes of data.

    Args:
        counter: its position in the run.
    """
    found: dict[str, Any] = json.loads(report.document) if report.document else {"stdout": report.printed}
    return described_event(counter, found, redactor, large=len(report.document or b"") > LARGEST)


def described_event(counter: int, found: Mapping[str, Any], redactor: Redactor, *, large: bool) -> Event:
    """Return the event that ansible-runner, or AWX, describes; as `event_of`.

    Args:
        large: whether its data may be larger than `LARGEST`.
    """
    data: dict[str, Any] = found.get("event_data") or {}
    result = data.get("res")
    return Event(
        counter=counter,
        kind=found.get("event", _VERBOSE),
        created=_moment(found.get("created")),
        uuid=found.get("uuid", ""),
        parent_uuid=found.get("parent_uuid") or "",
        host=data.get("host"),
        play=_clean(data.get("play"), redactor),
        role=data.get("resolved_role") or data.get("role"),
        task=_clean(data.get("task") or data.get("name"), redactor),
        action=data.get("resolved_action") or data.get("task_action"),
        changed=isinstance(result, Mapping) and bool(result.get("changed")),
        duration=data.get("duration"),
        stdout=redactor.text(found["stdout"].replace("\r\n", "\n").rstrip("\n")),
        data=_kept(data, redactor, large=large),
    )


def _kept(data: Mapping[str, Any], redactor: Redactor, *, large: bool) -> dict[str, Any]:
    kept = {key: value for key, value in data.items() if key not in _ELSEWHERE and value is not None}
    for flag in ("ignore_errors", "rescued", "ignore_unreachable", "unverified"):
        if not kept.get(flag, True):
            del kept[flag]
    if isinstance(kept.get("res"), Mapping):
        kept["res"] = _result(kept["res"])
    if redactor:
        kept = redactor.value(kept)
    return _cut(kept) if large else kept


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in result.items() if not key.startswith("_ansible")}
    kept |= {name: result[key] for key, name in _OF_RESULT.items() if result.get(key)}
    return kept


def _cut(data: dict[str, Any]) -> dict[str, Any]:
    """Return data cut to `LARGEST`: long texts lose their middle; if that is not enough, the largest values go."""
    cut: dict[str, Any] = _shortened(data)
    result = cut.get("res")
    target: dict[str, Any] = result if isinstance(result, dict) else cut
    sizes = {key: len(json.dumps(value)) for key, value in target.items()}
    total = sum(sizes.values())
    for key in sorted(sizes, key=lambda key: sizes[key], reverse=True):
        if total <= LARGEST:
            break
        total -= sizes[key]
        target[key] = f"{sizes[key]} bytes, not kept"
    return {**cut, "truncated": True}


def _shortened(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and len(value) > _LARGEST_TEXT:
        half = _LARGEST_TEXT // 2
        return f"{value[:half]}\n… {len(value) - 2 * half} characters left out …\n{value[-half:]}"
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    return [_shortened(inner) for inner in value] if isinstance(value, list) else value


def _clean(text: str | None, redactor: Redactor) -> str | None:
    return redactor.text(text) if text else None


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
