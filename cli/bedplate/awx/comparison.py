"""The difference between what is wanted and what an AWX has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

from bedplate.awx.catalog import Wishes
from bedplate.awx.kinds import KINDS, LABEL, TEMPLATES, Kind, Ref
from bedplate.awx.marks import is_of, read_mark
from bedplate.awx.questions import changed_questions, same_questions
from bedplate.awx.wanted import Node, Wanted

HIDDEN = "$encrypted$"  # what AWX shows of a secret; sent, it leaves the secret as it is
_SETTINGS = "as in the settings"
_VARIABLES = frozenset({"extra_vars", "variables", "source_vars"})


@dataclass(frozen=True)
class Found:
    """One object that AWX has.

    Attributes:
        body: as AWX lists it.
        survey: its survey where it had to be read, else None.
        teams, notifications: names by relation. nodes: of a workflow.
    """

    kind: Kind
    id: int
    name: str
    body: Mapping[str, Any]
    survey: Mapping[str, Any] | None = None
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notifications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    node_ids: tuple[int, ...] = ()

    @property
    def state(self) -> str | None:
        """The state that its mark names; None where it is not ours."""
        state = read_mark(self.body.get("description")).state
        return state if state and is_of(state, self.kind.name, self.name) else None

    @property
    def is_ours(self) -> bool:
        """By its mark; a template also by its label, where somebody wrote another description."""
        bare = read_mark(self.body.get("description")).state is None
        return self.state is not None or (bare and self.kind.name in TEMPLATES and LABEL in self.labels)

    @property
    def labels(self) -> list[str]:
        listed = self.body.get("summary_fields", {}).get("labels", {})
        return [each["name"] for each in listed.get("results", [])]

    @property
    def ref(self) -> Ref:
        return Ref(self.kind.name, self.name)


class Actual:
    """All that an AWX has of the kinds that Bedplate keeps, within the organization."""

    def __init__(self, found: Iterable[Found]) -> None:
        self.found = tuple(found)
        self._by_id = {(each.kind.name, each.id): each for each in self.found}
        self._by_ref: dict[Ref, list[Found]] = {}
        self._promised: set[Ref] = set()
        for each in self.found:
            self._by_ref.setdefault(each.ref, []).append(each)

    def find(self, wish: Wanted) -> Found | None:
        """Return the object of this kind and name, in the scope in which names are unique."""
        candidates = self._by_ref.get(wish.ref, [])
        scope = wish.fields.get(wish.kind.scope)
        if not isinstance(scope, Ref):
            return candidates[0] if candidates else None
        return next((each for each in candidates if self.named(scope, each.body.get(wish.kind.scope))), None)

    def named(self, ref: Ref, number: Any) -> bool:  # noqa: ANN401
        """Whether this id is an object of that name."""
        found = self._by_id.get((ref.kind, number))
        return found is not None and found.name == ref.name

    def name_of(self, kind: str, number: Any) -> str | None:  # noqa: ANN401
        """Return the name of an id, or the id where it is not known."""
        if number is None:
            return None
        found = self._by_id.get((kind, number))
        return found.name if found else f"#{number}"

    def has(self, kind: str, name: str) -> bool:
        """Whether there is one, or will be before templates are written."""
        return Ref(kind, name) in self._by_ref or Ref(kind, name) in self._promised

    def promise(self, refs: Iterable[Ref]) -> None:
        """Take these for what will be there."""
        self._promised |= set(refs)

    def id_of(self, kind: str, name: str) -> int:
        return self._by_ref[Ref(kind, name)][0].id


class Action(StrEnum):
    """What is to be done with an object."""

    CREATE = "create"
    UPDATE = "update"
    PRUNE = "prune"
    FOREIGN = "foreign"
    BLOCKED = "blocked"


class Cause(StrEnum):
    """Why an object is not as wanted: the catalog changed since it was written, or somebody changed it in AWX."""

    CATALOG = "catalog"
    AWX = "awx"


@dataclass(frozen=True)
class Difference:
    """One field that is not as wanted."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What is to be done with one object, and why; `wish` is None for one that the catalog no longer has."""

    action: Action
    kind: Kind
    name: str
    wish: Wanted | None = None
    found: Found | None = None
    cause: Cause = Cause.CATALOG
    differences: tuple[Difference, ...] = ()
    why: str | None = None

    @property
    def acts(self) -> bool:
        return self.action in {Action.CREATE, Action.UPDATE}


@dataclass(frozen=True)
class Plan:
    """All changes, in the order in which they are made, and what is to be said besides."""

    changes: tuple[Change, ...]
    unchanged: int
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not any(change.acts for change in self.changes)


def compare(wishes: Wishes, actual: Actual) -> Plan:
    """Return what is to be done so that AWX has what is wanted."""
    actual.promise(wish.ref for wish in wishes.objects if wish.kind.name == "notification_template")
    changes: list[Change] = []
    unusable: dict[Ref, Change] = {}
    unchanged = 0
    for wish in wishes.objects:
        change = _change(wish, actual, unusable)
        if change is None:
            unchanged += wish.managed
        else:
            changes.append(change)
            if change.action is Action.BLOCKED or (change.action is Action.FOREIGN and not wish.kind.shared):
                unusable[wish.ref] = change
    notes = [*wishes.notes, *_missing(wishes, actual)]
    return Plan((*changes, *_orphans(wishes, actual)), unchanged, tuple(notes))


def _change(wish: Wanted, actual: Actual, unusable: Mapping[Ref, Change]) -> Change | None:
    found = actual.find(wish)
    why = _obstacle(wish, found, unusable)
    if why:
        return Change(Action.BLOCKED, wish.kind, wish.name, wish, found, why=why)
    if not wish.managed:
        return None
    if found is None:
        return Change(Action.CREATE, wish.kind, wish.name, wish)
    if not found.is_ours:
        why = "an object of this name is there that Bedplate did not make"
        return None if wish.kind.shared else Change(Action.FOREIGN, wish.kind, wish.name, wish, found, why=why)
    differences = tuple(_differences(wish, found, actual))
    if not differences and found.state == wish.state:
        return None
    cause = Cause.AWX if found.state in {wish.state, None} else Cause.CATALOG
    return Change(Action.UPDATE, wish.kind, wish.name, wish, found, cause, differences)


def _obstacle(wish: Wanted, found: Found | None, unusable: Mapping[Ref, Change]) -> str | None:
    if not wish.managed and found is None:
        return f"AWX has no {wish.kind} of this name in the organization, and Bedplate does not make it"
    broken = next((ref for ref in wish.references() if ref in unusable), None)
    return f"needs {broken}, which cannot be used" if broken else None


def _orphans(wishes: Wishes, actual: Actual) -> Iterator[Change]:
    """Objects of ours that the catalog no longer has, those that need others first."""
    kept = {(found.kind.name, found.id) for wish in wishes.objects if (found := actual.find(wish))}
    for kind in reversed(KINDS):
        for found in actual.found:
            if found.kind is kind and found.state and not kind.keeps and (kind.name, found.id) not in kept:
                yield Change(Action.PRUNE, kind, found.name, found=found, why="the catalog no longer has it")


def _missing(wishes: Wishes, actual: Actual) -> Iterator[str]:
    """What templates want of people who keep AWX: teams and notification templates that are not there."""
    wanted = {("team", name) for wish in wishes.objects for group in wish.teams.values() for name in group}
    receivers = (group for wish in wishes.objects for group in wish.notifications.values())
    wanted |= {("notification_template", name) for group in receivers for name in group}
    for kind, name in sorted(wanted):
        if not actual.has(kind, name):
            yield f"AWX has no {kind.replace('_', ' ')} {name} in the organization; what it should get is left out"


def _differences(wish: Wanted, found: Found, actual: Actual) -> Iterator[Difference]:
    mark = read_mark(found.body.get("description"))
    if mark.summary != wish.summary:
        yield Difference("description", mark.summary, wish.summary)
    for name, value in wish.full_fields.items():
        before = found.body.get(name)
        if isinstance(value, Ref):
            if not actual.named(value, before):
                yield Difference(name, actual.name_of(value.kind, before), value.name)
        elif _plain(name, before) != _plain(name, value):
            yield Difference(name, before, value)
    if wish.kind.name in TEMPLATES:
        yield from _hanging(wish, found, actual)
    if wish.secrets and mark.secret != wish.secret_state:
        yield Difference("secrets", None, _SETTINGS)
    else:
        yield from _beside_secrets(wish, found)


def _beside_secrets(wish: Wanted, found: Found) -> Iterator[Difference]:
    """What AWX shows beside secrets, such as an address; it is not repeated here, for it may hold one, too."""
    for name, wanted in wish.secrets.items():
        shown = found.body.get(name) or {}
        for key, value in wanted.items():
            if shown.get(key) != HIDDEN and _plain(key, shown.get(key)) != _plain(key, value):
                yield Difference(f"{name}.{key}", None, _SETTINGS)


def _hanging(wish: Wanted, found: Found, actual: Actual) -> Iterator[Difference]:
    if not _same_survey(wish, found):
        yield _survey_difference(wish, found)
    summary = found.body.get("summary_fields", {})
    yield from _names("labels", found.labels, wish.labels)
    if wish.kind.name == "job_template":
        yield from _names("credentials", [each["name"] for each in summary.get("credentials", [])], wish.credentials)
    for role, teams in wish.teams.items():
        there = [team for team in teams if actual.has("team", team)]
        yield from _names(f"teams.{role}", found.teams.get(role, ()), there)
    for event, receivers in wish.notifications.items():
        there = [name for name in receivers if actual.has("notification_template", name)]
        yield from _names(f"notifications.{event}", found.notifications.get(event, ()), there)
    if wish.nodes != found.nodes:
        yield Difference("nodes", *([node.identifier for node in nodes] for nodes in (found.nodes, wish.nodes)))


def _names(name: str, before: Iterable[str], after: Iterable[str]) -> Iterator[Difference]:
    if sorted(before) != sorted(after):
        yield Difference(name, sorted(before), sorted(after))


def _same_survey(wish: Wanted, found: Found) -> bool:
    """By title and mark, as AWX lists them; by all questions where the survey was read."""
    listed = found.body.get("summary_fields", {}).get("survey")
    if wish.survey is None or not listed:
        return wish.survey is None and not listed
    if (listed["title"], listed["description"]) != (wish.survey["name"], wish.survey["description"]):
        return False
    return found.survey is None or same_questions(found.survey["spec"], wish.survey["spec"])


def _survey_difference(wish: Wanted, found: Found) -> Difference:
    """By question and key where the survey was read, else by mark: what changed is in the catalog's history."""
    if found.survey is None or wish.survey is None:
        listed = found.body.get("summary_fields", {}).get("survey")
        return Difference("survey", listed and listed["description"], wish.survey and wish.survey["description"])
    return Difference("survey", *changed_questions(found.survey["spec"], wish.survey["spec"]))


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401
    """A value in one form: null and empty mean the same to AWX, variables are text, rules may be on several lines."""
    if name in _VARIABLES:
        return yaml.safe_load(value) or {} if isinstance(value, str) else value or {}
    if name == "rrule":
        return " ".join(str(value).split())
    if name == "extra_data" and isinstance(value, str):
        return json.loads(value or "{}")
    return None if value in ("", {}, []) else value
