"""`execution.strategy`: which strategy ansible is told, and what is said where that cannot be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bedplate.errors import SettingsError
from bedplate.execution.strategy import Strategy, strategy_of
from bedplate.runs import RunMode
from bedplate.settings import ExecutionSettings

MITOGEN = ExecutionSettings(strategy="mitogen")


@pytest.mark.parametrize("mode", RunMode)
def test_without_a_setting_it_is_ansibles_own(mode: RunMode) -> None:
    assert strategy_of(ExecutionSettings(), mode) == Strategy()


def test_mitogen_is_for_checks_and_checks_host_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ansible_mitogen", raising=False)
    told = strategy_of(MITOGEN, RunMode.CHECK)
    assert told.environment["ANSIBLE_STRATEGY"] == "mitogen_linear"
    assert Path(told.environment["ANSIBLE_STRATEGY_PLUGINS"], "mitogen_linear.py").is_file()
    assert told.environment["ANSIBLE_PYTHON_INTERPRETER"] == "/usr/bin/python3"
    assert told.variables == {"ansible_host_key_checking": True, "ansible_ssh_host_key_checking": True}
    assert "ansible_mitogen" not in sys.modules


def test_what_changes_hosts_goes_by_ansibles_own() -> None:
    assert strategy_of(MITOGEN, RunMode.APPLY) == Strategy()


@pytest.mark.parametrize("mode", RunMode)
def test_mitogen_that_is_not_installed_is_one_sentence(mode: RunMode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ansible_mitogen", None)
    with pytest.raises(SettingsError) as said:
        strategy_of(MITOGEN, mode)
    assert str(said.value) == "execution.strategy: mitogen is not installed (pip install 'bedplate[mitogen]')"


def test_another_word_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be linear or mitogen, not 'free'"):
        strategy_of(ExecutionSettings(strategy="free"), RunMode.CHECK)
