"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.errors import SettingsError
from bedplate.settings import load_settings, override


def _project(folder: Path, text: str) -> Path:
    (folder / "bedplate.toml").write_text(text, encoding="utf-8")
    return folder


class TestSources:
    def test_defaults_hold_without_any(self, tmp_path: Path) -> None:
        settings = load_settings({"HOME": "/nowhere"}, tmp_path)
        assert settings.inventory.max_age == 24.0
        assert settings.sources == ()

    def test_a_project_file_is_found_from_a_folder_below(self, tmp_path: Path) -> None:
        below = _project(tmp_path, '[store]\nurl = "sqlite:////tmp/x.db"\n') / "a" / "b"
        below.mkdir(parents=True)
        settings = load_settings({}, below)
        assert settings.store_url == "sqlite:////tmp/x.db"
        assert settings.sources == (str(tmp_path / "bedplate.toml"),)

    def test_later_sources_win(self, tmp_path: Path) -> None:
        _project(tmp_path, "[execution]\nforks = 1\ntimeout = 1\n")
        named = tmp_path / "named.toml"
        named.write_text("[execution]\nforks = 2\n", encoding="utf-8")
        env = {"BEDPLATE_CONFIG": str(named)}
        assert load_settings(env, tmp_path).execution.forks == 2
        assert load_settings(env, tmp_path).execution.timeout == 1
        env["BEDPLATE_EXECUTION_FORKS"] = "3"
        settings = load_settings(env, tmp_path)
        assert settings.execution.forks == 3
        assert override(settings, "execution", forks=4).execution.forks == 4

    @pytest.mark.parametrize(
        ("env", "home"),
        [
            ({"BEDPLATE_HOME": "/a"}, "/a"),
            ({"XDG_STATE_HOME": "/b"}, "/b/bedplate"),
            ({"BEDPLATE_HOME": "/a", "XDG_STATE_HOME": "/b"}, "/a"),
        ],
    )
    def test_the_state_folder(self, env: dict[str, str], home: str, tmp_path: Path) -> None:
        assert load_settings(env, tmp_path).home == Path(home)

    @given(teams=st.lists(st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True), max_size=4))
    def test_a_list_in_the_environment_is_split_at_commas(self, teams: list[str]) -> None:
        settings = load_settings({"BEDPLATE_ACCESS_TEAMS": " , ".join(teams)}, Path("/"))
        assert list(settings.access.teams) == teams


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[stor]\nurl = 'x'\n", "did you mean store?"),
            ("[store]\nulr = 'x'\n", "did you mean store.url?"),
            ("[execution]\nforks = 'many'\n", "execution.forks: must be int, not 'many'"),
            ("[execution]\nforks = true\n", "must be int"),
            ("[access]\nteams = 'web'\n", "must be a list of strings"),
            ("store = 1\n", "must be a table: [store]"),
            ("[store\n", "is not valid TOML"),
        ],
    )
    def test_a_file_is_told_with_its_name(self, text: str, sentence: str, tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as error:
            load_settings({}, _project(tmp_path, text))
        assert sentence in str(error.value)
        assert str(tmp_path / "bedplate.toml") in str(error.value)

    def test_a_variable_is_told_with_its_name(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"BEDPLATE_EXECUTION_FORKS: must be int, not 'x'"):
            load_settings({"BEDPLATE_EXECUTION_FORKS": "x"}, tmp_path)

    def test_a_named_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read: No such file"):
            load_settings({"BEDPLATE_CONFIG": str(tmp_path / "gone.toml")}, tmp_path)
