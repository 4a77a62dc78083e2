"""Teams: who is in which, and where to reach each. One YAML file, named by the setting `teams.file`.

teams:
  platform:
    members: [kim, lee]
    contact: "#platform"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from bedplate.errors import SettingsError
from bedplate.settings import Settings

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_KEYS = ("members", "contact", "cost_centre")
_STR = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Team:
    """A team: its name, the identities of its members, where to ask, and who pays; the last two may be empty."""

    name: str
    members: frozenset[str] = frozenset()
    contact: str = ""
    cost_centre: str = ""


@dataclass(frozen=True)
class Teams:
    """All teams, by name.

    Attributes:
        file: where they stand, as a person would name it; empty when they came from nowhere.
    """

    by_name: Mapping[str, Team] = field(default_factory=dict)
    file: str = ""

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __iter__(self) -> Iterator[Team]:
        return iter(self.by_name.values())

    def get(self, name: str) -> Team | None:
        """Return the team of this name, if there is one."""
        return self.by_name.get(name)

    def of(self, person: str) -> frozenset[str]:
        """Return the names of the teams that a person is in."""
        return frozenset(team.name for team in self if person in team.members)

    def near(self, name: str) -> str | None:
        """Return the team whose name looks most like this one, if any does."""
        return next(iter(get_close_matches(name, list(self.by_name), n=1)), None)

    def reach(self, names: Iterable[str]) -> str:
        """Return teams with where to ask them, such as `dba (#dba) or web`."""
        return " or ".join(f"{name} ({contact})" if (contact := self._contact(name)) else name for name in names)

    def reach_person(self, person: str) -> str:
        """Return a person with where that person's teams can be asked, such as `kim (platform, #platform)`."""
        places = [f"{name}, {contact}" for name in sorted(self.of(person)) if (contact := self._contact(name))]
        return f"{person} ({'; '.join(places)})" if places else person

    def _contact(self, name: str) -> str:
        team = self.by_name.get(name)
        return team.contact if team else ""


def load_teams(settings: Settings) -> Teams | None:
    """Return the teams of the file that `teams.file` names; None where none is named.

    Raises:
        SettingsError: the file cannot be read, or is not as it must be.
    """
    return read_teams(Path(settings.teams.file).expanduser()) if settings.teams.file else None


def read_teams(file: Path) -> Teams:
    """Read a teams file.

    Raises:
        SettingsError: it cannot be read, or is not as it must be; says the line.
    """
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file), hint="teams.file names it") from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not UTF-8 text", where=str(file)) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"is not YAML: {error.problem}", where=f"{file}:{line}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"is not YAML: {str(error).splitlines()[0]}", where=str(file)) from error
    return _Reader(file).teams(root)


class _Reader:
    """Turns the nodes of a teams file into teams, each fault with its line."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def teams(self, root: Any) -> Teams:  # noqa: ANN401
        top = self._mapping(root, "the file", ("teams",))
        if "teams" not in top:
            raise self._fault(root, "must have the key teams")
        teams = {}
        for name, node in self._mapping(top["teams"], "teams").items():
            if not _NAME.fullmatch(name):
                raise self._fault(node, f"the name of a team has small letters, digits, - and _ only, not {name!r}")
            teams[name] = self._team(name, node)
        return Teams(teams, str(self._file))

    def _team(self, name: str, node: Any) -> Team:  # noqa: ANN401
        parts = self._mapping(node, f"team {name}", _KEYS)
        members = parts.get("members")
        if members is not None and not isinstance(members, yaml.SequenceNode):
            raise self._fault(members, f"members of team {name} must be a list of names")
        people = [self._text(each, f"a member of team {name}") for each in (members.value if members else ())]
        texts = {key: self._text(parts[key], f"{key} of team {name}") for key in _KEYS[1:] if key in parts}
        return Team(name, frozenset(people), **texts)

    def _mapping(self, node: Any, what: str, known: tuple[str, ...] = ()) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(node, yaml.MappingNode):
            raise self._fault(node, f"{what} must be a mapping")
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in found:
                raise self._fault(key, f"{name} is there twice")
            if known and name not in known:
                raise self._fault(key, f"unknown key {name} in {what}; known are {', '.join(known)}")
            found[name] = value
        return found

    def _text(self, node: Any, what: str) -> str:  # noqa: ANN401
        if not isinstance(node, yaml.ScalarNode) or node.tag != _STR or not node.value.strip():
            raise self._fault(node, f"{what} must be text")
        return str(node.value)

    def _fault(self, node: Any, sentence: str) -> SettingsError:  # noqa: ANN401
        line = node.start_mark.line + 1 if node is not None else 1
        return SettingsError(sentence, where=f"{self._file}:{line}")
