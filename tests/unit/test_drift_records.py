"""NetBox against reality: what becomes of it, that it is written into the journal once, and who changed a record."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.drift import CheckOutcome, HostCheck, Observation
from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import Cause, CheckKind, Finding, FindingState
from bedplate.drift.lifecycle import Background, HostLife
from bedplate.drift.records import read_record_check
from bedplate.errors import ExternalError, SettingsError
from bedplate.fleet import HostRecord
from bedplate.watch.netbox import NetBox, mark_of, netbox_of_journal

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
HOST = HostRecord("a", "device", 7)
SERIAL = {"field": "serial", "in_netbox": "S1", "on_host": "S2", "writable": True}
CABLE = {"field": "interface eth9", "in_netbox": None, "on_host": "present", "writable": False}


def document(*differences: dict[str, Any]) -> str:
    return json.dumps({"differences": differences, "not_compared": ["interfaces: not asked for"]})


def checked(*differences: dict[str, Any], outcome: CheckOutcome = CheckOutcome.CLEAN) -> HostCheck:
    record = read_record_check("a", document(*differences))
    assert record is not None
    return record.added_to(HostCheck("a", outcome))


def life(known: list[Finding], seen: HostCheck, *, kind: CheckKind = CheckKind.FAST, days: int = 0) -> list[Finding]:
    check = DriftCheck("c", "baseline", kind, "kim", AT, content_digest="d1")
    steps = HostLife(check, AT + timedelta(days=days), seen, Background()).steps({one.identity: one for one in known})
    return [step.finding for step in steps]


class TestFindings:
    def test_differences_go_both_ways(self) -> None:
        check = checked(SERIAL, CABLE)
        assert check.outcome is CheckOutcome.DRIFTED
        assert [(one.kind, one.key, one.before, one.after) for one in check.observations] == [
            ("record", "serial", "S1", "S2"),
            ("record", "interface eth9", None, "present"),
        ]
        assert check.coverage[-1].unverifiable == ("interfaces: not asked for",)

    def test_a_host_as_netbox_says_stays_what_it_is(self) -> None:
        assert checked().outcome is CheckOutcome.CLEAN
        assert checked(outcome=CheckOutcome.STALE).outcome is CheckOutcome.STALE

    def test_who_is_right_nobody_knows_and_only_who_compares_resolves(self) -> None:
        (found,) = life([], checked(SERIAL))
        assert found.cause is Cause.UNKNOWN
        clean = HostCheck("a", CheckOutcome.CLEAN)
        assert life([found], clean) == []
        assert life([found], clean, kind=CheckKind.FULL) == []
        (gone,) = life([found], checked())
        assert gone.state is FindingState.RESOLVED

    @given(
        st.text()
        | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(json.dumps)
    )
    def test_whatever_is_there_nothing_fails(self, text: str) -> None:
        record = read_record_check("a", text)
        assert record is None or record.observations == ()


class FakeNetBox(BaseHTTPRequestHandler):
    """Journals and changelog of a NetBox."""

    entries: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    status = 200

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if "journal" in parts.path:
            found = [one for one in self.entries if str(one["assigned_object_id"]) == query["assigned_object_id"]]
        else:
            found = [one for one in self.changes if one["time"] >= query.get("time_after", "")]
        self._answer(self.status, {"count": len(found), "next": None, "previous": None, "results": found})

    def do_POST(self) -> None:
        entry = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.entries.append({**entry, "id": len(self.entries) + 1})
        self._answer(201, self.entries[-1])

    def _answer(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[tuple[type[FakeNetBox], NetBox]]:
    handler = type("Fake", (FakeNetBox,), {"entries": [], "changes": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    netbox = NetBox.from_environment({"NETBOX_URL": url, "NETBOX_TOKEN": "0123456789"})
    assert netbox is not None
    yield handler, netbox
    server.shutdown()
    server.server_close()


def test_a_finding_is_written_once_and_again_when_it_is_back(fake: tuple[type[FakeNetBox], NetBox]) -> None:
    handler, netbox = fake
    (found,) = life([], checked(SERIAL))
    other = replace(found, observed=replace(found.observed, key="disk", before="`x`\n<b>"))
    file = replace(found, observed=Observation("a", "file", "/etc/motd", "content"))
    assert netbox.note(HOST, [found, file])
    assert not netbox.note(HOST, [found, file])
    assert netbox.note(HOST, [found, other])
    assert not netbox.note(HOST, [file])
    first, second = (entry["comments"] for entry in handler.entries)
    assert "- serial: NetBox says `S1`, the host `S2` " + mark_of(found) in first
    assert "serial" not in second
    assert "- disk: NetBox says `x<b>`, the host `S2`" in second
    assert {entry["assigned_object_type"] for entry in handler.entries} == {"dcim.device"}
    back = replace(found, opened_at=AT + timedelta(days=9), state=FindingState.REOPENED)
    assert netbox.note(HOST, [back])


def test_who_changed_a_record(fake: tuple[type[FakeNetBox], NetBox]) -> None:
    handler, netbox = fake
    assert netbox.last_change(HOST, AT) is None
    entry = {
        "id": 3, "time": "2026-11-24T09:00:00Z", "user_name": "dana", "action": {"value": "update", "label": "Updated"},
        "changed_object_type": "dcim.device", "changed_object_id": 7,
        "prechange_data": {"serial": "S0", "tags": [], "last_updated": "x"},
        "postchange_data": {"serial": "S1", "tags": [], "last_updated": "y"},
    }  # fmt: skip
    later = {**entry, "id": 4, "time": "2026-11-25T01:00:00Z", "user_name": "lee"}
    other = {**later, "id": 5, "time": "2026-11-25T02:00:00Z", "changed_object_id": 8}
    handler.changes = [entry, other, later]
    by = netbox.last_change(HOST, None)
    assert by is not None
    assert (by.user, by.command, by.source) == ("lee", "update of device a: serial", "netbox")
    assert by.time == datetime(2026, 11, 25, 1, tzinfo=UTC)
    assert netbox.last_change(HOST, AT) is None


def test_a_netbox_that_refuses_or_is_away_is_said(fake: tuple[type[FakeNetBox], NetBox]) -> None:
    handler, netbox = fake
    handler.status = 403
    with pytest.raises(ExternalError, match="NetBox: refused"):
        netbox.last_change(HOST, None)
    away = NetBox("http://127.0.0.1:1", "x" * 10)
    with pytest.raises(ExternalError, match="does not answer"):
        away.note(HOST, life([], checked(SERIAL)))


def test_the_journal_needs_an_address_and_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETBOX_TOKEN", raising=False)
    with pytest.raises(SettingsError, match="needs NETBOX_URL and NETBOX_TOKEN"):
        netbox_of_journal()
