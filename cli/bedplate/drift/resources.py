"""Which resources a changed task is about: a table by module, extended without touching what reads it.

A row says where in the module's result its resources are named. Paths are dotted; `arguments` are those of the task.
What ansible calls `before` is what was found, and its `after` is what is agreed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from bedplate.drift.texts import described, difference

Result = Mapping[str, Any]


class Seen(NamedTuple):
    """One attribute of a resource, as a result tells of it."""

    kind: str
    key: str
    attribute: str
    agreed: str | None = None
    found: str | None = None
    diff: str | None = None


class Naming(Protocol):
    """One way in which results name resources."""

    def read(self, result: Result) -> Iterator[Seen]:
        """Yield what the result names in this way."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Whole texts in the diff, each named by its header.

    Args:
        header: matches headers of this kind, with the name as its group. Ansible's line editors say
            `/etc/hosts (content)`.
        keys: where the name stands when a text has no header.
    """

    kind: str = "file"
    attribute: str = "content"
    header: re.Pattern[str] = re.compile(r"(/.*?)(?: \(content\))?\Z", re.DOTALL)
    keys: tuple[str, ...] = ("dest", "path", "arguments.dest", "arguments.path")

    def read(self, result: Result) -> Iterator[Seen]:
        for part in _differences(result):
            found, agreed = part.get("before"), part.get("after")
            if isinstance(found, str) and isinstance(agreed, str):
                key = self._key(part, result)
                if key:
                    yield self._seen(key, agreed, found)

    def _key(self, part: Mapping[str, Any], result: Result) -> str | None:
        header = part.get("before_header") or part.get("after_header")
        if header is None:
            return _named(result, self.keys)
        match = self.header.match(str(header))
        return match[1] if match else None

    def _seen(self, key: str, agreed: str, found: str) -> Seen:
        if agreed == found:
            return Seen(self.kind, key, "mode")
        diff = difference(key, agreed, found)
        if not agreed or not found:
            return Seen(self.kind, key, "presence", _presence(agreed), _presence(found), diff)
        return Seen(self.kind, key, self.attribute, described(key, agreed), described(key, found), diff)


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes in the diff, as ansible's own modules for files have them."""

    kind: str = "file"
    names: Mapping[str, str] = field(
        default_factory=lambda: {
            "mode": "mode", "owner": "owner", "group": "group", "uid": "owner", "gid": "group", "src": "target",
            "attributes": "attributes",
        }
    )  # fmt: skip

    def read(self, result: Result) -> Iterator[Seen]:
        for part in _differences(result):
            found, agreed = part.get("before"), part.get("after")
            if not (isinstance(found, Mapping) and isinstance(agreed, Mapping)):
                continue
            key = _text(agreed.get("path") or found.get("path")) or _named(result, ("path", "dest"))
            if key:
                yield from self._seen(key, agreed, found)

    def _seen(self, key: str, agreed: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Seen]:
        states = _text(agreed.get("state")), _text(found.get("state"))
        if states[0] != states[1] and any(states):
            yield Seen(self.kind, key, "presence" if "absent" in states else "type", *states)
            if "absent" in states:
                return
        for name, attribute in self.names.items():
            if name in agreed and agreed[name] != found.get(name):
                yield Seen(self.kind, key, attribute, _text(agreed[name]), _text(found.get(name)))


@dataclass(frozen=True, slots=True)
class Named:
    """Resources named by one value, or by each of a list of them.

    Args:
        keys: where the name may stand; the first that is there counts.
        agreed: where the agreed value stands, if it does.
    """

    kind: str
    keys: tuple[str, ...]
    attribute: str
    agreed: str | None = None

    def read(self, result: Result) -> Iterator[Seen]:
        agreed = _text(_at(result, self.agreed)) if self.agreed else None
        for key in _names(result, self.keys):
            yield Seen(self.kind, key, self.attribute, agreed)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a text, matched by a pattern with the groups key, and agreed and found where the text says them.

    Args:
        text: where the text stands; `diff.prepared` is that of each difference.
    """

    kind: str
    attribute: str
    text: str
    pattern: re.Pattern[str]

    def read(self, result: Result) -> Iterator[Seen]:
        for match in (match for text in _texts(result, self.text) for match in self.pattern.finditer(text)):
            groups = match.groupdict()
            yield Seen(self.kind, groups["key"], self.attribute, groups.get("agreed"), groups.get("found"))


@dataclass(frozen=True, slots=True)
class Prepared:
    """`name: action, action`, as the diff of our own modules says what would be done."""

    kind: str
    attributes: Mapping[str, str]

    def read(self, result: Result) -> Iterator[Seen]:
        for part in _differences(result):
            for line in str(part.get("prepared", "")).splitlines():
                key, _, actions = line.rpartition(": ")
                for action in actions.split(", ") if key else ():
                    yield Seen(self.kind, key, self.attributes.get(action, self.attributes[""]))


@dataclass(frozen=True, slots=True)
class Values:
    """`name = value` lines before and after, as the diff of kernel settings has them."""

    kind: str

    def read(self, result: Result) -> Iterator[Seen]:
        for part in _differences(result):
            found, agreed = _assignments(part.get("before")), _assignments(part.get("after"))
            for key in agreed:
                yield Seen(self.kind, key, "value", agreed[key], found.get(key))


def _assignments(text: Any) -> dict[str, str]:  # noqa: ANN401
    pairs = (line.partition(" = ") for line in (text if isinstance(text, str) else "").splitlines())
    return {name: value for name, equals, value in pairs if equals}


def _differences(result: Result) -> Sequence[Mapping[str, Any]]:
    diff = result.get("diff")
    parts = diff if isinstance(diff, list) else [diff]
    return [part for part in parts if isinstance(part, Mapping)]


def _texts(result: Result, path: str) -> list[str]:
    top, _, rest = path.partition(".")
    values = [part.get(rest) for part in _differences(result)] if top == "diff" else [_at(result, path)]
    return [value for value in values if isinstance(value, str)]


def _at(result: Result, path: str) -> Any:  # noqa: ANN401
    value: Any = result
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _names(result: Result, paths: Sequence[str]) -> list[str]:
    values: Any = next((value for path in paths if (value := _at(result, path))), [])
    return [_text(value) or "" for value in (values if isinstance(values, list) else [values]) if value]


def _named(result: Result, paths: Sequence[str]) -> str | None:
    return next(iter(_names(result, paths)), None)


def _text(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else str(value)


def _presence(text: str) -> str:
    return "present" if text else "absent"
