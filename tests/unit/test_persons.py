"""Who gives an order: the operating system's word, unless root says otherwise."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from bedplate.persons import Person, person_among
from bedplate.settings import AccessSettings, Settings
from bedplate.teams import Team, Teams

TEAMS = Teams({"web": Team("web", frozenset({"ada"}), "#web")})
ME = pwd.getpwuid(os.getuid()).pw_name


def settings(user: str = "", teams: tuple[str, ...] = ()) -> Settings:
    return Settings(Path("/nowhere"), access=AccessSettings(user, teams))


@pytest.mark.parametrize(("uid", "trusted"), [(0, True), (4711, False)])
def test_only_root_may_order_in_another_name(uid: int, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> None:
    monkeypatch.setattr(os, "getuid", lambda: uid)
    person = person_among(TEAMS, settings("ada"))
    assert (person.name, person.teams, person.listed, person.trusted) == ("ada", {"web"}, True, trusted)


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert person_among(TEAMS, settings()) == Person("3999999999", "3999999999", listed=True)


def test_without_a_teams_file_the_settings_say_the_teams() -> None:
    person = person_among(None, settings(teams=("web",)))
    assert (person.teams, person.listed) == ({"web"}, False)


def test_whoever_ordered_it_before_counts() -> None:
    assert person_among(TEAMS, settings("eve"), "ada") == Person("ada", ME, frozenset({"web"}), listed=True)


def test_what_is_for_whom_to_see() -> None:
    ada, eve = Person("ada", "ada", frozenset({"web"})), Person("eve", "eve")
    assert [ada.may_see(view) for view in (None, ["web", "dba"], ["dba"], ["all"])] == [True, True, False, True]
    assert [eve.may_see(view) for view in (None, ["web"], ["all"], [])] == [True, False, True, False]
    assert (ada.standing, eve.standing) == ("is in web", "is in no team")
