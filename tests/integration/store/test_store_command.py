"""`bedplate db` on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bedplate.main import main
from integration.postgresql import PostgresqlServer
from integration.store.places import LATEST, Place, empty_database, make_run, sqlite_place

_SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place without a store, named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BEDPLATE_CONFIG", raising=False)
    monkeypatch.delenv("BEDPLATE_STORE_URL", raising=False)
    if request.param == "sqlite":
        yield sqlite_place(tmp_path / "home")
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    with empty_database(server, tmp_path / "home") as place:
        monkeypatch.setenv("BEDPLATE_STORE_URL", place.settings.store.url)
        yield place


def _answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    shown = capsys.readouterr()
    assert stop.value.code == code, shown.err
    return shown.out if code == 0 else shown.err


def _document(capsys: pytest.CaptureFixture[str], schema: str, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_answer(capsys, *arguments, "-o", "json"))
    validator = Draft202012Validator(json.loads((_SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8")))
    validator.check_schema(validator.schema)
    validator.validate(document)
    return document


def test_status_and_upgrade_as_json(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = _document(capsys, "store_status", "db", "status")
    assert (before["revision"], before["upgrade"]) == (None, "create")
    assert _document(capsys, "store_upgrade", "db", "upgrade") == {"before": None, "after": LATEST, "backup": None}
    with here.opened() as store:
        store.add(make_run())
    after = _document(capsys, "store_status", "db", "status")
    assert (after["upgrade"], after["runs"], after["hosts"]) == ("none", 1, 2)
    assert _document(capsys, "store_upgrade", "db", "upgrade")["before"] == LATEST


def test_status_and_upgrade_for_people(here: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not made yet: bedplate db upgrade" in _answer(capsys, "db", "status")
    assert f"Schema none → {LATEST}." in _answer(capsys, "db", "upgrade")
    assert f"Nothing to do: the schema is {LATEST}." in _answer(capsys, "db", "upgrade")
    shown = _answer(capsys, "db", "status")
    assert f"{LATEST} of {LATEST}, up to date" in shown
    if here.server is not None:
        assert here.server.password not in shown
    else:
        assert str(here.settings.home / "bedplate.db") in shown


def test_a_server_that_is_gone_is_an_outside_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BEDPLATE_STORE_URL", "postgresql://ada:s3cret@127.0.0.1:1/bedplate")
    for verb in ("status", "upgrade"):
        message = _answer(capsys, "db", verb, code=9)
        assert message.startswith("bedplate: postgresql://ada:***@127.0.0.1:1/bedplate: ")
        assert "s3cret" not in message
        assert "Traceback" not in message
