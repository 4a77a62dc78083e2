"""What differs between a host's seal and what it is now: the fast check, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from bedplate.drift.attribution import Attribution
from bedplate.drift.capture import Capture, State
from bedplate.drift.observation import (
    UPDATE_KIND,
    CheckOutcome,
    HostCheck,
    Observation,
    RoleCoverage,
    Severity,
    Staleness,
)
from bedplate.drift.seal import Intent, Seal
from bedplate.drift.severities import is_break_in, severity_of
from bedplate.drift.telling import difference, told
from bedplate.drift.tracing import trace
from bedplate.drift.watching import Change, watched_changes

# What says nothing of the resource itself.
_BESIDES = frozenset({"presence", "package", "program"})
# What is told only where it is.
_ONLY_WHERE_THERE = ("capabilities", "acl", "default_acl", "folder", "lines")
# Files of packages that no user calls: there are many, and each is another one in another version.
_HELPERS = ("/usr/lib/", "/usr/libexec/")
# Where a task manages an account, a full check says no more than that it would change it.
_WHOLE = frozenset({"user", "group"})


@dataclass(frozen=True, slots=True)
class Policy:
    """What may change by itself.

    Attributes:
        unattended_updates: updates that apt installed unattended are expected: of kind `update`, and no drift.
        ignored: patterns `kind:key` of what no role manages and nobody wants to hear of.
    """

    unattended_updates: bool = True
    ignored: tuple[str, ...] = ()


def compare(
    seal: Seal,
    capture: Capture,
    intent: Intent | None = None,
    *,
    policy: Policy | None = None,
    texts: Mapping[str, bytes] | None = None,
) -> HostCheck:
    """Return what a fast check says of a host.

    Args:
        capture: as the host is now.
        intent: what the host is meant to be now; None if that is known to be as when it was sealed.
        texts: compressed texts by the digest of their content, as the seal had them.
    """
    other = seal.capture.identity.difference(capture.identity)
    if other:
        return HostCheck(seal.host, CheckOutcome.UNKNOWN, reason=f"it is another machine: {other}")
    found = _Comparison(seal, seal.completed(capture), policy or Policy(), texts or {}).result()
    moved = seal.intent.difference(intent) if intent else None
    if intent is None or moved is None:
        return found
    return HostCheck(seal.host, CheckOutcome.STALE, reason=moved, stale=_staleness(seal, intent, found.observations))


def _staleness(seal: Seal, intent: Intent, differences: tuple[Observation, ...]) -> Staleness:
    return Staleness(
        content=seal.intent.content != intent.content,
        variables=(seal.intent.variables, seal.intent.fleet) != (intent.variables, intent.fleet),
        differences=differences,
        sealed=_sealed(seal),
        unsealed=frozenset(gap.task for gap in seal.managed.unsealed),
    )


def _sealed(seal: Seal) -> frozenset[tuple[str, str]]:
    """Return kind and key of what a seal tells of, as findings name it."""
    named = {resource.named[:2] for resource in seal.managed.resources if resource.named}
    return frozenset(named | {(kind, key) for kind, states in seal.capture.states.items() for key in states})


@dataclass(slots=True)
class _Comparison:
    seal: Seal
    capture: Capture
    policy: Policy
    texts: Mapping[str, bytes]
    attribution: Attribution = field(init=False)
    versions: tuple[Mapping[str, str], Mapping[str, str]] = field(init=False)
    updated: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.attribution = Attribution(self.seal.managed.resources)
        self.versions = self.seal.capture.versions, self.capture.versions
        self.updated = self._updated() if self.policy.unattended_updates else frozenset()

    def result(self) -> HostCheck:
        found: dict[tuple[str, str, str, str], Observation] = {}
        for change in self._changes():
            for observation in self._observed(change):
                known = found.get(observation.identity)
                found[observation.identity] = observation if known is None else _joined(known, observation)
        drift = any(observation.kind != UPDATE_KIND for observation in found.values())
        return HostCheck(
            self.seal.host,
            CheckOutcome.DRIFTED if drift else CheckOutcome.CLEAN,
            tuple(found.values()),
            reason=self._left_out(),
            coverage=self._coverage(),
        )

    def _changes(self) -> Iterator[Change]:
        for kind, sealed in self.seal.capture.states.items():
            now = self.capture.states.get(kind, {})
            if sealed == now:
                continue
            for key, before in sealed.items():
                after = now.get(key)
                if before and after and after != before:
                    yield Change(kind, key, before, after)
        yield from watched_changes(self.seal.capture, self.capture)

    def _updated(self) -> frozenset[str]:
        """Return the packages that have another version now, or are gone, because apt did so unattended."""
        before, now = self.versions
        return frozenset(
            name
            for name in before.keys() | now.keys()
            if before.get(name) != now.get(name)
            and self.capture.updates.get(name.partition(":")[0]) == now.get(name, "removed")
        )

    def _observed(self, change: Change) -> Iterator[Observation]:
        if any(fnmatchcase(f"{change.kind}:{change.key}", pattern) for pattern in self.policy.ignored):
            return
        if change.kind == "package" and change.key in self.updated:
            yield self._update(change)
            return
        if self._came_with_package(change):
            return
        resource = self.attribution.of(change.kind, change.key)
        for attribute, before, after in _differences(change, managed=resource is not None):
            yield self._observation(change, attribute, before, after)

    def _came_with_package(self, change: Change) -> bool:
        """Return whether a file is another one because its package is: that itself is told of.

        Who may use it is not: packages leave that as it was, nearly always.
        """
        gone = change.after.get("presence") == "absent"
        package = (change.before if gone else change.after).get("package")
        if package is None or not _is_only_content(change):
            return False
        before, now = self.versions[0].get(package), self.versions[1].get(package)
        if package in self.updated or before == now:
            return package in self.updated
        verified = package in self.capture.verified
        if now is None or gone:
            return gone and (now is None or change.key.startswith(_HELPERS))
        if before is None:
            # What it brought to where packages have their own is part of it; what is with the settings is told of, too.
            return verified and change.kind == "file" and change.key.startswith("/usr/")
        more_rights = change.kind == "suid" and change.before.get("presence") == "absent"
        return change.key.startswith(_HELPERS) or (verified and not more_rights)

    def _observation(self, change: Change, attribute: str, before: str | None, after: str | None) -> Observation:
        resource = self.attribution.of(change.kind, change.key)
        named = resource.named if resource else None
        kind, key, name = named or (change.kind, change.key, attribute)
        if named:
            before, after = (f"{change.key}: {attribute} {text or 'none'}" for text in (before, after))
        observation = Observation(
            self.seal.host, kind, key, name, before, after,
            role=resource.role if resource else None,
            task=resource.task if resource else None,
            severity=_severity(change, attribute, managed=resource is not None),
            by=trace(self.capture.evidence, change, attribute),
        )  # fmt: skip
        if change.kind == "file" and attribute == "content" and not named:
            sealed = self.texts.get(change.before.get("content", ""))
            return replace(observation, diff=difference(change.key, sealed, self.capture.texts.get(change.key)))
        return observation

    def _update(self, change: Change) -> Observation:
        return Observation(
            self.seal.host, UPDATE_KIND, change.key, "version",
            change.before.get("version"), change.after.get("version"),
            severity=Severity.INFO,
            by=trace(self.capture.evidence, change, "version"),
        )  # fmt: skip

    def _coverage(self) -> tuple[RoleCoverage, ...]:
        """Return, by role, how many resources could be judged, and what could not be."""
        judged: dict[str, int] = {}
        gaps: dict[str, dict[str, None]] = {}
        for resource in self.seal.managed.resources:
            role = resource.role or "(play)"
            if self._is_judged(resource.kind, resource.key):
                judged[role] = judged.get(role, 0) + 1
            else:
                kind, key, _ = resource.named or (resource.kind, resource.key, "")
                gaps.setdefault(role, {})[f"{kind}:{key}"] = None
        for gap in self.seal.managed.unsealed:
            gaps.setdefault(gap.role or "(play)", {})[f"{gap.task}: {gap.reason}"] = None
        roles = dict.fromkeys([*judged, *gaps])
        return tuple(RoleCoverage(role, judged.get(role, 0), tuple(gaps.get(role, ()))) for role in roles)

    def _is_judged(self, kind: str, key: str) -> bool:
        if kind == "pattern":
            return True
        if kind == "unit" and "*" in key:
            return False
        kind = "file" if kind in {"meta", "folder"} else kind
        before = self.seal.capture.states.get(kind, {}).get(key)
        after = self.capture.states.get(kind, {}).get(key)
        return bool(before) and bool(after) and not ("content" in (before or {}) and _lost_content(after or {}))

    def _left_out(self) -> str | None:
        """Return what of the whole host could not be judged, in one sentence; None for nothing."""
        if self.capture.truncated or self.seal.capture.truncated:
            parts = sorted({*self.capture.truncated, *self.seal.capture.truncated})
            return f"there was too much to answer, these were left out: {', '.join(parts)}"
        return None


def _severity(change: Change, attribute: str, *, managed: bool) -> Severity:
    if is_break_in(change.kind, change.before, change.after):
        return Severity.CRITICAL
    return severity_of(change.kind, change.key, attribute, managed=managed)


def _is_only_content(change: Change) -> bool:
    """Return whether something came, went or has another content, and is the same in all else."""
    before, after = change.before, change.after
    if change.kind not in {"file", "suid"} or before.get("presence") != after.get("presence"):
        return True
    return before.get("type") == after.get("type") and {*_fields(before, after)} <= {"content", "target"}


def _lost_content(after: State) -> bool:
    return after.get("type") == "file" and "content" not in after


def _differences(change: Change, *, managed: bool) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the attributes that differ, as agreed and as found."""
    before, after = change.before, change.after
    if change.kind in _WHOLE and managed:
        fields = _fields(before, after)
        if fields:
            yield "account", _summary(before, fields), _summary(after, fields)
        return
    if before.get("presence") != after.get("presence"):
        yield "presence", told(before), told(after)
        return
    if before.get("type") != after.get("type"):
        yield "type", before.get("type"), told(after)
        return
    for name in _fields(before, after):
        yield name, *_values(name, before, after)


def _fields(before: State, after: State) -> list[str]:
    """Return the names of what both could tell and is not the same; an account's presence is one of them."""
    both = before.keys() & after.keys()
    if before.get("presence") != after.get("presence"):
        return ["presence"]
    return sorted(name for name in both - _BESIDES if before[name] != after[name]) + _gained(before, after)


def _gained(before: State, after: State) -> list[str]:
    """Return what a resource has now and had not, such as rights of a file, or the other way round."""
    return [name for name in _ONLY_WHERE_THERE if (name in before) != (name in after)]


def _values(name: str, before: State, after: State) -> tuple[str | None, str | None]:
    values = (before.get(name), after.get(name))
    if name in {"content", "rules", "acl", "default_acl", "capabilities"}:
        return _short(values[0]), _short(values[1])
    return values


def _short(digest: str | None) -> str | None:
    return f"sha256:{digest}" if digest and not digest.startswith("ends-") else digest


def _summary(state: State, fields: list[str]) -> str:
    return ", ".join(f"{name} {state.get(name) or 'none'}" for name in fields)


def _joined(one: Observation, other: Observation) -> Observation:
    """Return two observations that a full check would name alike as one."""
    return replace(
        one,
        before="; ".join(filter(None, (one.before, other.before))) or None,
        after="; ".join(filter(None, (one.after, other.after))) or None,
        severity=max(one.severity, other.severity, key=list(Severity).index),
        by=one.by or other.by,
    )
