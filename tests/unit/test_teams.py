"""The teams file: what is accepted, and what is said of each fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from bedplate.errors import SettingsError
from bedplate.settings import load_settings
from bedplate.teams import Team, load_teams, read_teams

GOOD = """\
teams:
  platform:
    members: [kim, lee]
    contact: "#platform"
    cost_centre: "4711"
  web: {members: [kim]}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "teams.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_teams_know_their_people_and_where_to_ask(tmp_path: Path) -> None:
    teams = read_teams(write(tmp_path, GOOD))
    assert teams.get("platform") == Team("platform", frozenset({"kim", "lee"}), "#platform", "4711")
    assert teams.of("kim") == {"platform", "web"}
    assert teams.of("nobody") == frozenset()
    assert "web" in teams
    assert "data" not in teams
    assert teams.near("platfrom") == "platform"


def test_who_can_help_is_told_with_where_to_ask(tmp_path: Path) -> None:
    teams = read_teams(write(tmp_path, GOOD))
    assert teams.reach(["platform", "web", "gone"]) == "platform (#platform) or web or gone"
    assert teams.reach_person("kim") == "kim (platform, #platform)"
    assert teams.reach_person("nobody") == "nobody"


def test_the_setting_names_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD)
    assert load_teams(load_settings({"HOME": "/nowhere"}, tmp_path)) is None
    found = load_teams(load_settings({"BEDPLATE_TEAMS_FILE": str(file)}, tmp_path))
    assert found is not None
    assert found.file == str(file)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "teams.yml:1: the file must be a mapping"),
        ("- a\n", "teams.yml:1: the file must be a mapping"),
        ("team: {}\n", "teams.yml:1: unknown key team in the file; known are teams"),
        ("{}\n", "teams.yml:1: must have the key teams"),
        ("teams: [a]\n", "teams.yml:1: teams must be a mapping"),
        ("teams:\n  web: [kim]\n", "teams.yml:2: team web must be a mapping"),
        ("teams:\n  web: {}\n  web: {}\n", "teams.yml:3: web is there twice"),
        ("teams:\n  Web: {}\n", "teams.yml:2: the name of a team has small letters"),
        (
            "teams:\n  web: {member: [kim]}\n",
            "teams.yml:2: unknown key member in team web; known are members, contact, cost_centre",
        ),
        ("teams:\n  web: {members: kim}\n", "teams.yml:2: members of team web must be a list of names"),
        ("teams:\n  web:\n    members: [kim, 3]\n", "teams.yml:3: a member of team web must be text"),
        ("teams:\n  web: {contact: ''}\n", "teams.yml:2: contact of team web must be text"),
        ("teams: [\n", "teams.yml:2: is not YAML"),
    ],
)
def test_each_fault_is_one_sentence_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_teams(write(tmp_path, text))
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_teams(tmp_path / "none.yml")
