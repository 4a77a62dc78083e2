"""Who gives an order, and in which teams that person is."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass

from bedplate.settings import Settings
from bedplate.teams import Teams, load_teams

EVERYBODY = "all"


@dataclass(frozen=True)
class Person:
    """Who orders.

    Attributes:
        login: who the operating system says it is.
        teams: from the teams file; without one as the settings say.
        listed: there is a teams file.
        trusted: the system's word for it, or that of root, who can be anybody.
    """

    name: str
    login: str
    teams: frozenset[str] = frozenset()
    listed: bool = False
    trusted: bool = True

    @property
    def standing(self) -> str:
        """In which teams the person is, as the end of a sentence."""
        return f"is in {', '.join(sorted(self.teams))}" if self.teams else "is in no team"

    def is_one_of(self, teams: Iterable[str]) -> bool:
        """Return whether the person is in one of these teams; `all` means everybody."""
        wanted = frozenset(teams)
        return EVERYBODY in wanted or not self.teams.isdisjoint(wanted)

    def may_see(self, view: Iterable[str] | None) -> bool:
        """Return whether a product is to be shown to the person; None shows it to everybody."""
        return view is None or self.is_one_of(view)


def person_of(settings: Settings, requester: str | None = None) -> Person:
    """Return who gives this order: who the operating system says, or who the settings say where that is trusted.

    Args:
        requester: who ordered it before, when a pending run goes on: that person counts, whoever starts it now.

    Raises:
        SettingsError: the teams file cannot be read.
    """
    return person_among(load_teams(settings), settings, requester)


def person_among(teams: Teams | None, settings: Settings, requester: str | None = None) -> Person:
    """Return who gives this order, as `person_of` does, where the teams are known already."""
    login = _login()
    name = settings.access.user or (login if teams else settings.user)
    trusted = requester is not None or name == login or os.getuid() == 0
    person = requester or name
    mine = teams.of(person) if teams else frozenset(settings.access.teams)
    return Person(person, login, mine, listed=teams is not None, trusted=trusted)


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
