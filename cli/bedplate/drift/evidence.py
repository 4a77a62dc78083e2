"""What a host's logs tell of who did something, as the module `seal` gathers it where a host is not as sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

_MOST = 2000
_LATEST = 1 << 33
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody or something did, as one log tells it.

    Attributes:
        at: seconds since 1970, by the host's clock.
        source: the log: `sudo`, `apt`, `dpkg`, `systemd` (a unit stopped), `failure` (a unit failed), `exec` (the audit
            saw a program start), `audit` (it saw a file being written).
        user: who did it; None where the log does not say.
        command: what was run, without secrets.
        folder: where it was run.
        names: what the log says was changed.
    """

    at: int
    source: str
    user: str | None = None
    command: str = ""
    folder: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one host can tell of what was done to it since it was sealed.

    Attributes:
        since: from when on logs were asked, in seconds since 1970.
        acts: oldest first.
        touched: by path, when what is in it and when anything of it was last changed, in seconds since 1970.
        origins: by kernel setting, the files that set it.
        cut: there were more acts, older than these.
    """

    since: int = 0
    acts: tuple[Act, ...] = ()
    touched: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cut: bool = False


def evidence_of(document: Any) -> Evidence:  # noqa: ANN401
    """Return the evidence in what a host answered: what is none of it, or too much, is left out."""
    if not isinstance(document, Mapping):
        return Evidence()
    acts = [act for entry in _items(document.get("acts"))[-_MOST:] if (act := _act(entry))]
    touched = {path: (times[0], times[1]) for path, times in _pairs(document.get("touched")) if _are_times(times)}
    origins = {name: tuple(map(_text, _items(paths))) for name, paths in _pairs(document.get("origins"))}
    since = document.get("since")
    return Evidence(
        since=since if _is_time(since) else 0,
        acts=tuple(sorted(acts, key=lambda act: act.at)),
        touched=touched,
        origins=origins,
        cut=bool(document.get("cut")),
    )


def _act(entry: Any) -> Act | None:  # noqa: ANN401
    if not isinstance(entry, Mapping) or not _is_time(entry.get("at")):
        return None
    user = entry.get("user")
    return Act(
        at=entry["at"],
        source=_text(entry.get("source")),
        user=_text(user) or None,
        command=_text(entry.get("command")),
        folder=_text(entry.get("folder")),
        names=tuple(map(_text, _items(entry.get("names"))[:_MOST])),
    )


def _are_times(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and len(value) == 2 and all(map(_is_time, value))


def _is_time(value: Any) -> TypeGuard[int]:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST


def _text(value: Any) -> str:  # noqa: ANN401
    return value[:_LONGEST] if isinstance(value, str) else ""


def _items(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else []


def _pairs(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401
    return list(value.items())[:_MOST] if isinstance(value, Mapping) else []
