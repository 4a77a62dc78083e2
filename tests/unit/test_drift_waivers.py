"""Waivers: what they cover, until when, and the file that people share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift import Observation
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingState, HostFacts, Since
from bedplate.drift.waivers import Scope, Waiver, Waivers
from bedplate.errors import UsageError
from bedplate.settings import Settings
from bedplate.store import open_drift
from bedplate.watch import WaiverBook

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
TODAY = AT.date()


def finding(host: str = "fra1-colo-01", kind: str = "file", key: str = "/etc/motd", attribute: str = "mode") -> Finding:
    return Finding(
        Observation(host, kind, key, attribute),
        "baseline",
        CheckKind.FULL,
        FindingState.OPEN,
        Cause.CORRECTIVE,
        AT,
        AT,
        AT,
        Since(None, AT),
    )


def waiver(scope: str, expires: date | None = None) -> Waiver:
    return Waiver(Scope.parse(scope), "said so", "kim", "lee", AT, expires)


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ("file:/etc/motd@all", True),
        ("file:/etc/*@host:fra1-*", True),
        ("file:/etc/motd#mode@host:fra1-colo-01", True),
        ("file:/etc/motd#owner@all", False),
        ("file:/etc/motd@host:ams1-*", False),
        ("package:*@all", False),
        ("file:/etc/motd@group:site_fra1", True),
        ("file:/etc/motd@group:site_ams1", False),
    ],
)
def test_what_a_scope_covers(scope: str, *, covers: bool) -> None:
    facts = {"fra1-colo-01": HostFacts(groups=frozenset({"site_fra1"}))}
    assert (Waivers([waiver(scope)], TODAY, facts).of(finding()) is not None) is covers


@pytest.mark.parametrize("text", ["", "file:/etc/motd", "file:/etc/motd@", "file:/x@host:", "motd@all", "file:@all"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not the scope|names no resource"):
        Scope.parse(text)


@given(st.text(min_size=1), st.text(min_size=1, alphabet=st.characters(blacklist_characters="@")))
def test_the_scope_of_a_finding_covers_it_and_reads_back(key: str, host: str) -> None:
    found = finding(host=host, key=key)
    scope = Scope.of_finding(found)
    assert scope.covers(found, HostFacts())
    assert Scope.parse(scope.id) == scope
    assert not scope.covers(finding(host=f"{host}x", key=key), HostFacts())
    assert not scope.covers(finding(host=host, key=f"{key}x"), HostFacts())


def test_the_day_after_the_last_the_finding_is_back() -> None:
    kept = [waiver("file:*@all", TODAY)]
    assert Waivers(kept, TODAY, {}).of(finding()) is not None
    assert Waivers(kept, TODAY.replace(day=26), {}).of(finding()) is None


def test_of_several_the_one_that_holds_longest_is_named() -> None:
    kept = [waiver("file:/etc/motd@all", TODAY), waiver("file:*@all"), waiver("file:/etc/*@all", TODAY)]
    found = Waivers(kept, TODAY, {}).of(finding())
    assert found is not None
    assert found.id == "file:*@all"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "repository" / "waivers.yml"


@pytest.fixture
def book(tmp_path: Path, file: Path) -> WaiverBook:
    return WaiverBook(open_drift(Settings(tmp_path / "home")), file)


class TestFile:
    def test_it_is_as_inspec_has_it(self, book: WaiverBook, file: Path) -> None:
        book.add(waiver("file:/etc/motd@all", TODAY))
        document = yaml.safe_load(file.read_text())
        entry = document["file:/etc/motd@all"]
        assert (entry["expiration_date"], entry["run"], entry["justification"]) == (TODAY, True, "said so")

    def test_what_was_added_is_there_and_what_was_removed_is_not(self, book: WaiverBook) -> None:
        one, other = waiver("file:/etc/motd@all", TODAY), waiver("user:*@host:a")
        book.add(one)
        book.add(other)
        assert book.all() == [one, other]
        book.remove(one.id)
        assert book.all() == [other]
        with pytest.raises(UsageError, match="no waiver file:/etc/motd@all"):
            book.remove(one.id)

    def test_people_may_write_it(self, book: WaiverBook, file: Path, tmp_path: Path) -> None:
        file.parent.mkdir()
        file.write_text("unit:cron.service@all:\n  justification: old\n  owner: kim\n  expiration_date: '2026-12-01'\n")
        (read,) = book.all()
        assert (read.owner, read.created_by, read.expires) == ("kim", "kim", date(2026, 12, 1))
        assert book.all() == [read], "what is not said of it does not change from one look to the next"
        assert open_drift(Settings(tmp_path / "home")).waivers() == [read], "the store follows"
        file.write_text("")
        assert book.all() == []
        assert open_drift(Settings(tmp_path / "home")).waivers() == []

    def test_without_a_file_the_store_tells(self, book: WaiverBook, tmp_path: Path) -> None:
        kept = waiver("file:/etc/motd@all")
        open_drift(Settings(tmp_path / "home")).put_waiver(kept)
        assert book.all() == [kept]
        later = replace(kept, reason="again")
        book.add(later)
        assert book.all() == [later]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("- a\n", r"waivers.yml: must be a mapping"),
            ("a: [\n", r"waivers.yml: is not valid YAML: "),
            ("file:/a@all: yes\n", r"waivers.yml: file:/a@all: must be a mapping"),
            ("file:/a@all: {owner: kim}\n", r"file:/a@all: justification is missing"),
            ("file:/a@all: {owner: kim, justification: x, until: 3}\n", r"file:/a@all: unknown until \(known are "),
            ("file:/a@all: {owner: kim, justification: x, expiration_date: soon}\n", r"'soon' is no day"),
            ("file:/a: {owner: kim, justification: x}\n", r"'file:/a' is not the scope of a waiver"),
        ],
    )
    def test_what_is_wrong_in_it_is_said(self, book: WaiverBook, file: Path, text: str, message: str) -> None:
        file.parent.mkdir()
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            book.all()
