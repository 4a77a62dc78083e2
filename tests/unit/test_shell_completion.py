"""What a person gets who presses the tabulator key, from the whole command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from bedplate.execution.inventory_cache import GroupNames, InventoryCache, InventoryNames, names_document
from bedplate.main import cli

NAMES = InventoryNames(("a1", "a2"), {"all": GroupNames((), ("site_fra1",)), "site_fra1": GroupNames(("a1", "a2"))})


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with an inventory that was asked for, a lab, and a run."""
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEDPLATE_HOME", str(home))
    monkeypatch.setenv("BEDPLATE_INVENTORY_PATH", str(tmp_path / "inv"))
    InventoryCache(home).put_names(tmp_path / "inv", names_document(NAMES))
    (home / "lab").mkdir()
    (home / "lab" / "fleet.json").write_text(json.dumps({"schema": 1, "hosts": [{"name": "lab-01"}]}))
    with sqlite3.connect(home / "bedplate.db") as store:
        store.execute("CREATE TABLE runs (id, product, status, created_at)")
        store.execute("INSERT INTO runs VALUES ('20261122-151403-k7f2', 'ping', 'failed', 1)")
    store.close()
    return home


def offered(typed: str) -> list[str]:
    """Return what is offered for the last word of a line."""
    *before, last = typed.split(" ")
    return [item.value for item in ShellComplete(cli, {}, "bedplate", "_X").get_completions(before, last)]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("run pi", ["ping"]),
        ("product show pi", ["ping"]),
        ("run ping -p ", ["ping_become="]),
        ("run ping -l a1 -p ping_become=no -p ping", ["ping_become="]),
        ("run ping --parameter ping_x", []),
        ("run -p ", []),
        ("run ping --limit a1:&si", ["a1:&site_fra1"]),
        ("inventory host a", ["a1", "a2"]),
        ("inventory graph si", ["site_fra1"]),
        ("runs list --host a", ["a1", "a2"]),
        ("runs events k7f2 --host a", ["a1", "a2"]),
        *((f"runs {verb} 2026", ["20261122-151403-k7f2"]) for verb in ("show", "wait", "logs", "rerun", "cancel")),
        ("lab break la", ["lab-01"]),
        ("lab up --recreate ", ["lab-01"]),
    ],
)
def test_the_last_word_is_completed(typed: str, wanted: list[str]) -> None:
    assert offered(typed) == wanted


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"hosts": [1]}'])
def test_a_torn_file_of_the_lab_is_silent(state: Path, content: str) -> None:
    (state / "lab" / "fleet.json").write_text(content)
    assert offered("lab break la") == []
