"""Grants end when they must, also those that nobody can read any more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin

GRANTS = load_plugin("plugins/module_utils/grants.py")


@pytest.mark.parametrize(
    ("record", "over"),
    [
        ({"expires": 101}, False),
        ({"expires": 100.5}, False),
        ({"expires": 100}, True),
        ({"expires": "never"}, True),
        ({"expires": None}, True),
        ({}, True),
    ],
)
def test_a_grant_without_an_end_is_over(record: dict[str, Any], over: bool) -> None:
    assert GRANTS.is_over(record, 100) is over


def test_records_that_cannot_be_read_have_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GRANTS, "RECORDS", str(tmp_path))
    (tmp_path / "kim.json").write_text(json.dumps({"expires": 5}), encoding="utf-8")
    (tmp_path / "lee.json").write_text('{"expires": 5', encoding="utf-8")
    (tmp_path / "max.json").write_text("[]", encoding="utf-8")
    assert GRANTS.records() == {"kim": {"expires": 5}, "lee": {}, "max": {}}


def test_only_what_is_over_or_named_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[tuple[str, str]] = []
    now = 1000.0
    for account, expires in (("kim", now - 1), ("lee", now + 60), ("max", now + 60)):
        (tmp_path / f"{account}.json").write_text(json.dumps({"expires": expires}), encoding="utf-8")
    monkeypatch.setattr(GRANTS, "RECORDS", str(tmp_path))
    monkeypatch.setattr(GRANTS.time, "time", lambda: now)
    monkeypatch.setattr(GRANTS, "end", lambda account, _, why: ended.append((account, why)))
    monkeypatch.setattr(GRANTS, "set_timer", lambda: None)
    GRANTS.main([])
    assert ended == [("kim", "its time was up")]
    GRANTS.main(["max"])
    assert ended[1:] == [("max", "it was revoked")]


def test_a_file_is_written_once_and_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert GRANTS.write(str(path), "a\n", 0o440) is True
    assert GRANTS.write(str(path), "a\n", 0o440) is False
    assert GRANTS.write(str(path), "a\n", 0o600) is True
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
