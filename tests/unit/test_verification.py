"""The proof that a host can be observed: what is expected, what it means, and what it leaves."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from plugins.plugin_utils import verification, verification_plan, verification_report  # noqa: E402 (needs the path)
from plugins.plugin_utils.verification import Expectation, Verdict, judge  # noqa: E402 (needs the path)

KEY, OTHER = "ssh-ed25519 AAAAone", "ssh-ed25519 AAAAtwo"
EXPECTED = Expectation(
    accounts={"root": [], "ops": [KEY], "alice": None}, ports=frozenset({"22/tcp", "9100/tcp"}), logs_to="obs"
)


def account(name: str, **more: Any) -> dict[str, Any]:
    plain = {"name": name, "uid": 1000, "login": True, "password": False, "expired": False, "keys": []}
    return {**plain, **more}


def answer(**more: Any) -> dict[str, Any]:
    """What a host says that is as it should be."""
    units = {"chrony": "active", "rsyslog": "active", "prometheus-node-exporter": "active"}
    well = {
        "token": "t1",
        "accounts": [account("root", uid=0), account("ops", keys=[KEY]), account("alice", keys=[OTHER])],
        "listening": [{"port": 22, "protocol": "tcp", "program": "sshd"}],
        "clock": {"container": "", "synchronised": True, "offset": 0.001},
        "services": {**units, "bedplate-firewall": "inactive"},
        "certificate_expired": False,
    }
    return {**well, **more}


def watch(**more: Any) -> dict[str, Any]:
    """What an observer says of a host that is as it should be."""
    target = {"health": "up", "error": "", "fresh": True}
    seen = {"target": target, "metrics": 3.0, "log": 1.0, "alert": 9.0, "clock": 0.01, **more.pop("seen", {})}
    well = {"error": "", "missing_alerts": [], "failing_rules": [], "alertmanagers": ["http://obs:9093"], "seen": seen}
    return {**well, **more}


def verdicts(
    host: dict[str, Any] | None = None, seen: dict[str, Any] | None = None, reached: tuple[int, ...] = (22, 9100)
) -> dict[str, Verdict]:
    found = judge(EXPECTED, host or answer(), {"obs": seen or watch()}, reached)
    assert [each.check for each in found] == list(verification.CHECKS)
    return {each.check: each for each in found}


def not_passed(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: each.status for name, each in found.items() if each.status != "passed"}


def test_a_host_that_is_well_passes_everything() -> None:
    assert not_passed(verdicts()) == {}


NO_METRICS = {"metrics": "failed", "alert": "blocked"}


@pytest.mark.parametrize(
    ("host", "seen", "expected", "words"),
    [
        ({}, {"seen": {"target": None}}, NO_METRICS, "no scrape target"),
        ({}, {"seen": {"target": {"health": "down", "error": "refused", "fresh": True}}}, NO_METRICS, "refused"),
        ({}, {"seen": {"target": {"health": "up", "error": "", "fresh": False}}}, NO_METRICS, "since the proof"),
        ({}, {"seen": {"metrics": None}}, NO_METRICS, "did not reach obs"),
        ({}, {"seen": {"log": None}}, {"logs": "failed"}, "did not reach obs"),
        (
            {"delivery": {"connected": [], "words": "connection refused"}},
            {"seen": {"log": None}},
            {"logs": "failed"},
            "rsyslog is active, connected to nobody and says: connection refused",
        ),
        (
            {"delivery": {"connected": ["192.0.2.1:2514"], "words": ""}},
            {"seen": {"log": None}},
            {"logs": "failed"},
            "rsyslog is active, connected to 192.0.2.1:2514",
        ),
        ({"certificate_expired": True}, {"seen": {"log": None}}, {"logs": "failed"}, "certificate has expired"),
        ({}, {"seen": {"clock": -1.5}}, {"clock": "failed"}, "1.500 s"),
        ({}, {"seen": {"alert": None}}, {"alert": "failed"}, "did not reach the Alertmanager"),
        ({}, {"missing_alerts": ["HostDown"]}, {"alert": "failed"}, "HostDown"),
        ({}, {"failing_rules": ["HostDown"]}, {"alert": "failed"}, "cannot evaluate"),
        ({}, {"alertmanagers": []}, {"alert": "failed"}, "no Alertmanager"),
        ({"clock": {"container": "", "error": "506"}}, {}, {"clock": "failed"}, "506"),
        ({"clock": {"container": "", "synchronised": True, "offset": 2.0}}, {}, {"clock": "failed"}, "time sources"),
        ({"clock": {"container": "", "synchronised": False, "offset": 0.0}}, {}, {"clock": "failed"}, "no time source"),
        ({"clock": {"container": "podman", "synchronised": False, "offset": 0.0}}, {}, {}, ""),
        ({"services": {"chrony": "failed"}}, {}, {"clock": "failed"}, "chrony is failed"),
        ({}, {"seen": {"clock": None}}, {"clock": "blocked"}, ""),
        (
            {"clock": {"container": "", "synchronised": True, "offset": 2.0}},
            {"seen": {"clock": None}},
            {"clock": "failed"},
            "2.000 s from its time sources",
        ),
        (
            {"unwritten": "No space left on device"},
            {"seen": {"metrics": None}},
            NO_METRICS,
            "the metric could not be written: No space left on device",
        ),
    ],
)
def test_exactly_what_is_broken_is_named(
    host: dict[str, Any], seen: dict[str, Any], expected: dict[str, str], words: str
) -> None:
    found = verdicts(answer(**host), watch(**seen))
    assert not_passed(found) == expected
    assert words in " ".join(each.detail for each in found.values() if each.status == "failed")


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ([account("carol", keys=[OTHER])], "carol could get in"),
        ([account("toor", uid=0, login=False)], "toor could get in"),
        ([account("dave", password=True)], "dave could get in"),
        ([account("postgres")], ""),
        ([account("ops", keys=[KEY, OTHER])], "ops has 1 key(s) that nobody gave it"),
        ([account("ops")], "ops lacks 1 of its keys"),
        ([account("ops", keys=[KEY], expired=True)], "ops has expired"),
        ([account("root", uid=0, keys=[OTHER])], "root has 1 key(s)"),
    ],
)
def test_accounts_are_those_that_are_expected(accounts: list[dict[str, Any]], words: str) -> None:
    names = {each["name"] for each in accounts}
    well = [each for each in answer()["accounts"] if each["name"] not in names]
    verdict = verdicts(answer(accounts=well + accounts))["accounts"]
    assert verdict.status == ("failed" if words else "passed")
    assert words in verdict.detail


def test_keys_that_are_in_no_file_cannot_be_judged() -> None:
    verdict = verdicts(answer(other_keys=["TrustedUserCAKeys /etc/ssh/ca.pub"]))["accounts"]
    assert verdict.status == "blocked"
    assert verdict.detail == "sshd also takes keys that are in no file: TrustedUserCAKeys /etc/ssh/ca.pub"
    stranger = answer(other_keys=["TrustedUserCAKeys /etc/ssh/ca.pub"], accounts=[account("carol", keys=[OTHER])])
    assert verdicts(stranger)["accounts"].status == "failed"


def test_an_account_that_is_expected_and_missing_fails() -> None:
    verdict = verdicts(answer(accounts=[account("root", uid=0)]))["accounts"]
    assert verdict.detail == "ops cannot log in here"


@pytest.mark.parametrize(
    ("firewall", "reached", "detail"),
    [
        ("inactive", (22,), "not expected: 8081/tcp (nc) listens"),
        ("inactive", (22, 8081), "not expected: 8081/tcp (nc) answers from outside"),
        ("active", (22, 8081), "not expected: 8081/tcp (nc) answers from outside"),
        ("active", (22,), "open: 22"),
    ],
)
def test_ports_are_judged_from_outside(firewall: str, reached: tuple[int, ...], detail: str) -> None:
    listening = [*answer()["listening"], {"port": 8081, "protocol": "tcp", "program": "nc"}]
    services = {**answer()["services"], "bedplate-firewall": firewall}
    assert verdicts(answer(listening=listening, services=services), reached=reached)["ports"].detail == detail


def test_a_firewall_that_is_wanted_must_be_in_force() -> None:
    found = judge(Expectation(firewall=True), answer(listening=[]), {"obs": watch()}, [])
    assert next(each for each in found if each.check == "ports").detail == "its firewall is not in force"


def test_what_nobody_could_look_at_has_not_passed() -> None:
    """Where not even SSH answers, somebody is cut off: whoever looked, or everybody."""
    found = verdicts(reached=())["ports"]
    assert (found.status, found.detail) == (
        "blocked",
        "nothing answers from outside, not even SSH: it cannot be told why",
    )
    listening = [{"port": 8081, "protocol": "tcp", "program": "nc"}]
    assert verdicts(answer(listening=listening), reached=())["ports"].status == "failed"


def test_a_host_out_of_reach_fails_once() -> None:
    found = judge(EXPECTED, None, {}, [], "the host could not be reached: no route")
    assert [each.status for each in found] == ["failed"] + ["blocked"] * 6
    assert found[0].detail == "the host could not be reached: no route"


def test_reading_only_skips_what_would_write() -> None:
    seen = watch(seen={"metrics": None, "log": None, "alert": None})
    assert not_passed(verdicts(answer(token=""), seen)) == {"logs": "skipped"}


def test_an_observer_that_cannot_tell_fails_what_it_would_tell() -> None:
    found = verdicts(seen={"error": "timed out", "hosts": {}, "seen": None})
    assert not_passed(found) == {"metrics": "failed", "logs": "failed", "clock": "blocked", "alert": "blocked"}
    assert found["logs"].detail == "obs cannot tell: timed out"


def test_what_is_not_wanted_is_skipped() -> None:
    found = judge(Expectation(skipped={"accounts": "not wanted"}), answer(), {"obs": watch()}, [])
    assert next(each for each in found if each.check == "accounts") == Verdict("accounts", "skipped", "not wanted")


def test_without_metrics_by_choice_a_clock_is_judged_by_its_sources() -> None:
    off = Expectation(skipped={"metrics": "the role metrics is off here", "alert": "the role metrics is off here"})
    unseen = watch(seen={"target": None, "metrics": None, "clock": None, "alert": None})
    found = {each.check: each for each in judge(off, answer(), {"obs": unseen}, [22])}
    assert {name: found[name].status for name in ("metrics", "alert", "clock")} == {
        "metrics": "skipped", "alert": "skipped", "clock": "passed",
    }  # fmt: skip
    assert found["clock"].detail == "within 0.001 s of its time sources"


GIVEN = {
    "login": "ops", "connection_keys": [f"{KEY} ops@laptop"], "users": [], "accounts_extra": [], "ports": [22, 9100],
    "services": [{"protocol": "udp", "ports": [53]}],
    "rules": [{"ports": ["8000-8002"]}, {"ports": [6667], "action": "drop"}],
    "ports_extra": ["161/udp", 8443], "clock_limit": 1, "skip": [],
}  # fmt: skip
HOSTVARS: dict[str, dict[str, Any]] = {
    "obs": {"bedplate_site": "x", "ansible_host": "192.0.2.1"},
    "a": {"bedplate_site": "x", "ansible_host": "192.0.2.2"},
}


class TestPlan:
    def test_what_is_right_comes_from_the_inventory(self) -> None:
        users = [
            {"name": "team", "keys": [f'from="192.0.2.*" {OTHER} team']},
            {"name": "gone", "state": "absent", "keys": [OTHER]},
        ]
        given = {**GIVEN, "users": users, "accounts_extra": [{"name": "bob"}]}
        found = verification_plan.expectation(given, "a", HOSTVARS, ["obs"])
        assert found.accounts == {"root": [], "ops": [KEY], "team": [OTHER], "bob": None}
        assert found.logs_to == "obs"
        wanted = "22/tcp 9100/tcp 53/udp 8000/tcp 8001/tcp 8002/tcp 161/udp 8443/tcp"
        assert found.ports == frozenset(wanted.split())

    @pytest.mark.parametrize(
        "change",
        [
            {"logging_forward": False},
            {"logging_receivers": [{"address": "192.0.2.9"}]},
            {"bedplate_tags": ["skip-logging"]},
            {"certificates_enabled": False},
        ],
    )
    def test_logs_that_go_elsewhere_are_awaited_nowhere(self, change: dict[str, Any]) -> None:
        hostvars = {**HOSTVARS, "a": {**HOSTVARS["a"], **change}}
        assert verification_plan.expectation(GIVEN, "a", hostvars, ["obs"]).logs_to == ""

    @pytest.mark.parametrize(
        ("change", "wanted"),
        [
            ({}, True),
            ({"firewall_enabled": False}, False),
            ({"firewall_enabled": "no"}, False),  # as a config context or --extra-vars may have it
            ({"bedplate_tags": ["skip-firewall"]}, False),
        ],
    )
    def test_a_firewall_is_wanted_unless_the_inventory_has_it_off(self, change: dict[str, Any], wanted: bool) -> None:
        hostvars = {**HOSTVARS, "a": {**HOSTVARS["a"], **change}}
        assert verification_plan.expectation(GIVEN, "a", hostvars, ["obs"]).firewall is wanted

    def test_an_observer_keeps_its_own_logs(self) -> None:
        hostvars = {**HOSTVARS, "obs-b": {"bedplate_site": "x", "ansible_host": "192.0.2.3"}}
        found = {
            host: verification_plan.expectation(GIVEN, host, hostvars, ["obs", "obs-b"]).logs_to for host in hostvars
        }
        assert found == {"obs": "obs", "a": "obs", "obs-b": "obs-b"}

    @pytest.mark.parametrize(
        ("change", "checks"),
        [
            ({"metrics_enabled": False}, {"metrics", "alert"}),
            ({"bedplate_tags": ["skip-time-sync"]}, {"clock"}),
            ({"access_enabled": "no"}, {"accounts"}),
            ({}, set()),
        ],
    )
    def test_what_a_role_that_is_off_would_bring_about_is_not_asked_for(
        self, change: dict[str, Any], checks: set[str]
    ) -> None:
        hostvars = {**HOSTVARS, "a": {**HOSTVARS["a"], **change}}
        found = verification_plan.expectation({**GIVEN, "skip": ["ports"]}, "a", hostvars, ["obs"]).skipped
        assert set(found) == checks | {"ports"}
        assert found["ports"] == "left out by verify_skip"
        assert all(found[check].endswith(" is off here") for check in checks)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"skip": ["luck"]}, "verify_skip of a: luck is no check; metrics, "),
            ({"ports_extra": ["http"]}, "verify_ports_extra of a: 'http' is no port such as 8080/tcp"),
        ],
    )
    def test_what_is_no_check_or_port_is_refused(self, change: dict[str, Any], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            verification_plan.expectation({**GIVEN, **change}, "a", HOSTVARS, ["obs"])

    def test_an_observer_is_asked_once_and_does_not_probe_itself(self) -> None:
        expected = {host: verification_plan.expectation(GIVEN, host, HOSTVARS, ["obs"]) for host in HOSTVARS}
        (plan,) = verification_plan.watches(dict.fromkeys(HOSTVARS, answer()), expected, HOSTVARS, ["obs"])
        assert plan["observer"] == "obs"
        assert plan["hosts"] == {host: {"token": "t1", "logs": True} for host in ("a", "obs")}
        assert list(plan["probes"]) == ["a"]
        assert plan["probes"]["a"]["address"] == "192.0.2.2"
        assert 22 in plan["probes"]["a"]["ports"]

    def test_alerts_are_read_from_rule_files(self) -> None:
        text = "groups: [{name: g, rules: [{alert: B, expr: '1'}, {record: 'x:y', expr: '1'}, {alert: A, expr: '1'}]}]"
        assert verification_plan.alert_names({"a.yml": text, "empty.yml": ""}) == ["A", "B"]


class TestReport:
    def document(self) -> dict[str, Any]:
        broken = judge(EXPECTED, answer(), {"obs": watch(seen={"log": None, "target": None})}, [22])
        well = judge(EXPECTED, answer(), {"obs": watch()}, [22])
        return verification_report.report({"b<&>": broken, "a": well}, "apply", "2026-11-25T12:00:00Z")

    def test_it_fits_its_schema(self) -> None:
        schema = json.loads((ROOT / "docs" / "schemas" / "verify.schema.json").read_text(encoding="utf-8"))
        checker = jsonschema.FormatChecker()
        jsonschema.Draft202012Validator(schema, format_checker=checker).validate(self.document())

    def test_hosts_are_scored(self) -> None:
        first, second = self.document()["hosts"]
        assert (first["host"], first["outcome"], first["score"]["percent"]) == ("a", "passed", 100)
        assert (second["outcome"], second["score"]) == (
            "failed", {"passed": 4, "failed": 2, "blocked": 1, "skipped": 0, "percent": 57},
        )  # fmt: skip

    def test_junit_has_a_suite_a_host_and_a_case_a_check(self) -> None:
        root = ET.fromstring(verification_report.junit(self.document()))  # noqa: S314 (our own)
        suite = root.findall("testsuite")[1]
        assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("b<&>", "7", "2")
        assert {case.get("name") for case in suite if case.find("failure") is not None} == {"metrics", "logs"}

    def test_what_hosts_say_can_be_read_by_machines_and_does_nothing_to_a_terminal(self) -> None:
        said = {"connected": [], "words": "\x1b]0;title\x07 broken\n\x00pipe \ud800"}
        broken = judge(EXPECTED, answer(delivery=said), {"obs": watch(seen={"log": None})}, [22])
        document = verification_report.report({"a": broken}, "apply", "2026-11-25T12:00:00Z")
        root = ET.fromstring(verification_report.junit(document))  # noqa: S314 (our own)
        (failure,) = root.iter("failure")
        assert (failure.get("message") or "").endswith("and says: ?]0;title? broken ?pipe ?")
        assert verification_report.failures(document)[0].isprintable()

    def test_the_table_ends_with_what_failed(self) -> None:
        lines = verification_report.table(self.document())
        assert lines[0].split() == ["HOST", "SCORE", "METRICS", "LOGS", "CLOCK", "ACCOUNTS", "PORTS", "ALERT"]
        assert len(lines) == 5
        assert lines[3].startswith("b<&>: metrics: obs has no scrape target")

    def test_files_are_for_their_owner_and_whole(self, tmp_path: Path) -> None:
        folder = tmp_path / "artifacts"
        verification_report.write(str(folder), "verify.json", b"{}")
        verification_report.write(str(folder), "verify.json", b"[]")
        (file,) = folder.iterdir()
        assert file.read_bytes() == b"[]"
        assert file.stat().st_mode & 0o777 == 0o600
