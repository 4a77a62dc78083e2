"""From what modules say in check mode to what is not as agreed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bedplate.drift import CheckOutcome, HostCheck, Observation, Severity
from bedplate.drift.managed import NEUTRAL, full_name
from bedplate.drift.modules import MODULES
from bedplate.drift.night import Gate
from bedplate.drift.reading import CheckReading
from bedplate.drift.severities import severity_of
from bedplate.drift.texts import LARGEST_DIFF, described, difference
from bedplate.execution.events import Report, event_of
from bedplate.execution.feed import is_unverified, slim
from bedplate.execution.redaction import Redactor
from bedplate.runs import Event, HostResult
from role_modules import modules_of_the_baseline

AT = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
Seen = tuple[str, str, str, str | None, str | None]


def event(action: str, result: dict[str, Any], kind: str = "runner_on_ok", **fields: Any) -> Event:
    data = {"res": result, **fields.pop("data", {})}
    role = "bedplate.datacenter.access"
    changed = bool(result.get("changed"))
    return Event(1, kind, AT, host="a", role=role, task="Do it", action=action, changed=changed, data=data, **fields)


def read(*events: Event, result: HostResult | None = None) -> HostCheck:
    reading = CheckReading()
    for one in events:
        reading.add(one)
    (check,) = reading.checks([result or HostResult("a", ok=1)])
    return check


def seen(action: str, **result: Any) -> list[Seen]:
    found = read(event(action, {"changed": True, **result})).observations
    return [(one.kind, one.key, one.attribute, one.before, one.after) for one in found]


def text(path: str, found: str, agreed: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": found, "after": agreed}


class TestModules:
    @pytest.mark.parametrize(
        ("action", "result", "expected"),
        [
            (
                "template",
                {"diff": [text("/etc/a", "found\n", "agreed\n")]},
                ("file", "/etc/a", "content", "agreed", "found"),
            ),
            (
                "template",
                {"diff": [{"before": "", "after_header": "/etc/a", "after": "x"}]},
                ("file", "/etc/a", "presence", "present", "absent"),
            ),
            (
                "copy",
                {"diff": [{"before": {"path": "/etc/a", "mode": "0777"}, "after": {"path": "/etc/a", "mode": "0644"}}]},
                ("file", "/etc/a", "mode", "0644", "0777"),
            ),
            (
                "file",
                {"diff": {"before": {"path": "/d", "state": "absent"}, "after": {"path": "/d", "state": "directory"}}},
                ("file", "/d", "presence", "directory", "absent"),
            ),
            (
                "file",
                {"diff": {"before": {"path": "/d", "state": "link"}, "after": {"path": "/d", "state": "file"}}},
                ("file", "/d", "type", "file", "link"),
            ),
            (
                "lineinfile",
                {"diff": [text("/etc/hosts (content)", "a", "b"), {"before_header": "/etc/hosts (file attributes)"}]},
                ("file", "/etc/hosts", "content", "b", "a"),
            ),
            (
                "apt",
                {"stdout": "Reading\nInst tmux (3.3a-3 Debian:12/stable [amd64])\nConf tmux (3.3a-3)\n"},
                ("package", "tmux", "presence", "3.3a-3", None),
            ),
            (
                "apt",
                {"stdout": "Inst tmux [3.3a-2] (3.3a-3 Debian:12/stable [amd64])\n"},
                ("package", "tmux", "version", "3.3a-3", "3.3a-2"),
            ),
            ("apt", {"stdout": "Remv telnet [0.17-44]\n"}, ("package", "telnet", "presence", None, "0.17-44")),
            (
                "systemd_service",
                {"name": "cron", "arguments": {"state": "started"}},
                ("unit", "cron", "state", "started", None),
            ),
            ("user", {"name": "kim", "arguments": {"name": "kim"}}, ("user", "kim", "account", None, None)),
            ("dpkg_selections", {"arguments": {"name": "tmux"}}, ("package", "tmux", "selection", None, None)),
            (
                "ansible.posix.sysctl",
                {"arguments": {"name": "a.b", "value": "1"}},
                ("sysctl", "a.b", "value", "1", None),
            ),
            (
                "bedplate.datacenter.sysctl_values",
                {"diff": {"before": "a.b = 1\n", "after": "a.b = 0\n"}},
                ("sysctl", "a.b", "value", "0", "1"),
            ),
            (
                "bedplate.datacenter.service_current",
                {"diff": {"prepared": "chrony.service: start\n"}},
                ("unit", "chrony.service", "state", None, None),
            ),
            (
                "bedplate.datacenter.service_current",
                {"diff": {"prepared": "chrony.service: restart\n"}},
                ("unit", "chrony.service", "configuration", None, None),
            ),
            (
                "bedplate.datacenter.firewall_ruleset",
                {"diff": text("table inet bedplate (live)", "a\nb\n", "a\nc\n")},
                ("firewall", "inet bedplate", "rules"),
            ),
            (
                "bedplate.datacenter.root_files",
                {"restricted": ["/etc/cron.d"], "diff": [{"prepared": "/etc/cron.d: 0700 root:root\n"}]},
                ("file", "/etc/cron.d", "mode", None, None),
            ),
            (
                "bedplate.datacenter.host_files",
                {"diff": [text("/etc/a", "same\n", "same\n")]},
                ("file", "/etc/a", "mode", None, None),
            ),
            (
                "bedplate.datacenter.host_name",
                {"diff": [{"prepared": "name in the kernel: b -> a\n"}]},
                ("host", "name", "name", "a", "b"),
            ),
            ("bedplate.datacenter.mount_options", {"remounted": ["/tmp"]}, ("mount", "/tmp", "options", None, None)),
        ],
    )
    def test_a_change_names_its_resource(self, action: str, result: dict[str, Any], expected: tuple[str, ...]) -> None:
        (found,) = seen(action if "." in action else f"ansible.builtin.{action}", **result)
        assert found[: len(expected)] == expected

    def test_what_no_row_names_is_the_task_itself(self) -> None:
        assert seen("ansible.builtin.shell", item_label="x") == [("task", "access: Do it: x", "state", None, None)]

    def test_every_module_that_the_baseline_uses_is_in_the_table(self) -> None:
        # A command has a state in check mode only where a role says so.
        assert modules_of_the_baseline() - MODULES.keys() - NEUTRAL == {"ansible.builtin.command"}

    def test_short_names_are_ansibles_own(self) -> None:
        assert full_name("copy") == full_name("ansible.legacy.copy") == "ansible.builtin.copy"


class TestHosts:
    def test_nothing_changed_is_clean(self) -> None:
        check = read(event("ansible.builtin.copy", {"changed": False}))
        assert (check.outcome, check.coverage[0].role, check.coverage[0].judged) == (CheckOutcome.CLEAN, "access", 1)

    def test_a_skipped_task_is_unverifiable_only_where_the_check_skipped_it(self) -> None:
        told = event("ansible.builtin.command", {}, "runner_on_skipped", data={"unverified": True})
        check = read(event("ansible.builtin.copy", {}), told)
        assert check.coverage[0].unverifiable == ("Do it",)
        assert read(event("ansible.builtin.command", {}, "runner_on_skipped")).coverage == ()

    def test_an_ignored_failure_is_unverifiable(self) -> None:
        ignored = event("ansible.builtin.command", {}, "runner_on_failed", data={"ignore_errors": True})
        assert read(ignored).coverage[0].unverifiable == ("Do it",)

    def test_tasks_that_only_decide_are_not_counted(self) -> None:
        assert read(event("ansible.builtin.set_fact", {}), event("ansible.builtin.copy", {})).coverage[0].judged == 1

    @pytest.mark.parametrize(
        ("result", "reason"),
        [
            (HostResult("a", ok=3, unreachable=1), "could not be reached: no route"),
            (HostResult("a", ok=3, failed=1), "could not be reached: no route"),
            (HostResult("a"), "could not be reached: no route"),
        ],
    )
    def test_a_host_that_was_lost_is_unknown_and_never_clean(self, result: HostResult, reason: str) -> None:
        lost = event("ansible.builtin.copy", {"msg": "no route"}, "runner_on_unreachable")
        check = read(event("ansible.builtin.copy", {}), lost, result=result)
        assert (check.outcome, check.reason) == (CheckOutcome.UNKNOWN, reason)

    def test_a_host_that_no_task_judged_is_unknown(self) -> None:
        assert read(event("ansible.builtin.set_fact", {})).outcome is CheckOutcome.UNKNOWN

    def test_a_loop_is_told_by_its_items(self) -> None:
        item = {"changed": True, "diff": [text("/etc/a", "1", "2")]}
        whole = {"changed": True, "results": "2 items, each has an event of its own"}
        check = read(
            event("ansible.builtin.copy", item, "runner_item_on_ok"), event("ansible.builtin.copy", whole)
        )  # fmt: skip
        assert [one.key for one in check.observations] == ["/etc/a"]

    def test_a_diff_that_was_cut_is_not_told(self) -> None:
        cut = event("ansible.builtin.copy", {"changed": True, "diff": [text("/a", "1", "2")]}, data={"truncated": True})
        (found,) = read(cut).observations
        assert found.diff is None


class TestFeed:
    def test_a_change_keeps_what_names_it_and_nothing_else(self) -> None:
        arguments = {"name": "tmux", "password": "sesam-9", "dest": None}
        result = {"changed": True, "invocation": {"module_args": arguments}}
        kept = slim({"event": "runner_on_ok", "event_data": {"res": result, "task_action": "apt"}})
        assert kept["event_data"]["res"] == {"changed": True, "arguments": {"name": "tmux"}}
        unchanged = slim({"event_data": {"res": {**result, "changed": False}}})
        assert unchanged["event_data"]["res"] == {"changed": False}

    def test_secrets_in_it_are_taken_out(self) -> None:
        document = b'{"event":"runner_on_ok","stdout":"","event_data":{"res":{"arguments":{"line":"a sesam-9 b"}}}}'
        found = event_of(1, Report(document), Redactor(["sesam-9"]))
        assert found.data["res"]["arguments"] == {"line": "a ******** b"}

    @pytest.mark.parametrize(
        ("result", "unverified"),
        [
            ({"skipped": True, "msg": "Command would have run if not in check mode"}, True),
            ({"skip_reason": "Conditional result was False", "false_condition": "not ansible_check_mode"}, True),
            ({"skip_reason": "Conditional result was False", "false_condition": "x is defined"}, False),
            ({"skipped_reason": "No items in the list"}, False),
            ({"results": []}, False),
        ],
    )
    def test_why_a_task_was_skipped(self, result: dict[str, Any], *, unverified: bool) -> None:
        assert is_unverified(result) is unverified


class TestTexts:
    def test_what_is_secret_is_not_shown(self) -> None:
        for path in ("/etc/shadow", "/etc/ssl/private/a.pem", "/etc/ssh/ssh_host_ed25519_key", "/x/host.key"):
            assert (described(path, "sesam"), difference(path, "a", "b")) == (None, None)

    def test_a_long_text_is_told_by_its_digest_and_a_long_difference_is_cut(self) -> None:
        many = "".join(f"line {number}\n" for number in range(5000))
        told = described("/a", many)
        assert told is not None
        assert told.startswith("sha256:")
        diff = difference("/a", many, "")
        assert diff is not None
        assert len(diff) < LARGEST_DIFF + 50
        assert diff.endswith("the rest is left out")
        assert difference("/a", many * 20, "") is None


def test_what_lets_people_in_is_graver_than_what_does_not() -> None:
    order = list(Severity)
    grave = severity_of("file", "/etc/sudoers.d/x", "content")
    assert order.index(grave) > order.index(severity_of("file", "/etc/motd", "content"))
    assert Observation("a", "file", "/x", "mode").severity is severity_of("file", "/x", "mode")


class TestGate:
    GATE = Gate(vanished_percent=10, moved_percent=10)
    FLEET = {f"h{number}": "colo" for number in range(10)}  # noqa: RUF012 (never changed)

    def test_a_first_night_believes_what_it_sees(self) -> None:
        assert self.GATE.objection({}, self.FLEET) is None

    def test_hosts_may_come_and_as_many_as_the_limit_may_go(self) -> None:
        now = {**self.FLEET, "new": "cloud"}
        del now["h1"]
        assert self.GATE.objection(self.FLEET, now) is None
        del now["h2"]
        assert "2 of 10 hosts vanished since the last night, more than 10 %: h1, h2" in str(
            self.GATE.objection(self.FLEET, now)
        )

    def test_as_many_as_the_limit_may_change_their_class(self) -> None:
        assert self.GATE.objection(self.FLEET, {**self.FLEET, "h1": "cloud"}) is None
        told = self.GATE.objection(self.FLEET, dict.fromkeys(self.FLEET, "cloud"))
        assert str(told).endswith("h0, h1, h2, h3, h4 and 5 more")
