"""Policies in Cedar, and audit chains by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.errors import SettingsError, UsageError
from bedplate.guardrails.audit import GENESIS, AuditEntry, AuditRecord, anchor, chain, read_anchors, verify
from bedplate.guardrails.policies import Policies
from bedplate.guardrails.questions import PolicyQuestion
from bedplate.launch.policy_cases import read_cases, run_cases
from bedplate.launch.rulebooks import load_policies, zone_of_policies
from bedplate.settings import GuardrailSettings, Settings

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC)
ALLOW = '@id("everybody")\npermit (principal, action, resource);'
FILES = {
    "base.cedar": ALLOW,
    "hours.cedar": """
@id("many_by_day")
forbid (principal, action == Action::"run", resource)
when { context.host_count > 2 && context.time.hour >= 8 && context.time.hour < 18 };
@id("production_is_for_ops")
forbid (principal, action == Action::"run", resource)
when { context.groups.contains("site_fra1") }
unless { principal in Team::"ops" };
forbid (principal, action, resource == Product::"patch")
when { context.parameters has reboot && context.parameters.reboot == true && resource.stage != "ga" };
""",
}
QUESTION = PolicyQuestion("ada", "patch", NOW, teams=["web"], hosts=["a"], stage="ga")


@pytest.mark.parametrize(
    ("fields", "policies"),
    [
        ({}, None),
        ({"hosts": ["a", "b", "c"]}, ("hours.cedar#many_by_day",)),
        ({"hosts": ["a", "b", "c"], "action": "check"}, None),
        ({"hosts": ["a", "b", "c"], "now": NOW.replace(hour=20)}, None),
        ({"groups": ["site_fra1"]}, ("hours.cedar#production_is_for_ops",)),
        ({"groups": ["site_fra1"], "teams": ["ops"]}, None),
        ({"parameters": {"reboot": True}, "stage": "beta"}, ("hours.cedar#3",)),
        ({"parameters": {"reboot": True}}, None),
        ({"person": 'ada" || "x\n', "parameters": {"x": 'y"\n};permit(', "n": [1.5, None, 2**70, {"ü": 1}]}}, None),
    ],
)
def test_what_policies_say(fields: dict[str, object], policies: tuple[str, ...] | None) -> None:
    decision = Policies(FILES).decide(replace(QUESTION, **fields))  # type: ignore[arg-type]
    assert decision.allowed is (policies is None), decision
    assert decision.policies == (policies or ("base.cedar#everybody",))


def test_a_policy_says_who_can_help() -> None:
    kept = '@id("kept")\n@contact("#security")\nforbid (principal, action, resource);'
    decision = Policies({"a.cedar": ALLOW, "b.cedar": kept}).decide(QUESTION)
    assert (decision.policies, decision.contacts) == (("b.cedar#kept",), ("#security",))


def test_what_nothing_permits_is_refused() -> None:
    assert not Policies({"a.cedar": FILES["hours.cedar"]}).decide(QUESTION).allowed


def test_a_policy_that_fails_refuses() -> None:
    wrong = (
        '@id("wrong")\n@contact("#security")\n'
        "forbid (principal, action, resource) when { context.parameters.size > 3 };"
    )
    decision = Policies({"a.cedar": ALLOW, "b.cedar": wrong}).decide(QUESTION)
    assert not decision.allowed
    assert "b.cedar#wrong" in decision.errors[0]
    assert decision.contacts == ("#security",)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"a.cedar": "permt (principal"}, r"^a\.cedar: "),
        ({"a.cedar": "permit (principal == ?principal, action, resource);"}, r"a\.cedar: a template decides nothing"),
        ({"a.cedar": ALLOW + ALLOW}, "two policies have the id a.cedar#everybody"),
    ],
)
def test_what_is_no_policy(files: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Policies(files)


def test_a_folder_without_policies_is_a_fault(tmp_path: Path) -> None:
    settings = Settings(tmp_path, guardrails=GuardrailSettings(policies=str(tmp_path)))
    with pytest.raises(SettingsError, match="there is no policy"):
        load_policies(settings)
    (tmp_path / "a.cedar").write_text(ALLOW)
    found = load_policies(settings)
    assert found is not None
    assert found.names == ["a.cedar#everybody"]
    assert load_policies(Settings(tmp_path)) is None


def test_a_time_zone_that_there_is_not_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"guardrails\.timezone: there is no time zone 'Mars'"):
        zone_of_policies(Settings(tmp_path, guardrails=GuardrailSettings(timezone="Mars")))


def test_cases_are_compared_with_what_policies_say(tmp_path: Path) -> None:
    file = tmp_path / "cases.yml"
    file.write_text(
        "cases:\n"
        "  - {name: few, person: ada, product: patch, hosts: [a], at: 2026-11-25T10:00, expect: allow}\n"
        "  - {name: many, person: ada, product: patch, hosts: [a, b, c], at: 2026-11-25T07:30:00Z, expect: deny,\n"
        "     by: many_by_day}\n"
        "  - {name: wrong, person: ada, product: patch, groups: [site_fra1], at: 2026-11-25, expect: allow}\n"
        "  - {name: other, person: ada, product: patch, groups: [site_fra1], at: 2026-11-25, expect: deny, by: x}\n"
    )
    results = run_cases(Policies(FILES), read_cases(file, ZoneInfo("Europe/Berlin")))
    assert [(result.name, result.passed) for result in results] == [
        ("few", True), ("many", True), ("wrong", False), ("other", False),
    ]  # fmt: skip
    assert results[2].said == "deny by hours.cedar#production_is_for_ops"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "must be a mapping with a list"),
        ("cases: [{name: x}]", r"cases\[0\] must have name, person"),
        ("cases: [{name: x, person: a, product: p, at: 2026-01-01, expect: maybe}]", "must be allow or deny"),
        ("cases: [{name: x, person: a, product: p, at: 2026-01-01, expect: deny, host: a}]", "unknown key host"),
        ("cases: [{name: x, person: a, product: p, at: 2026-01-01, expect: deny, hosts: a}]", "must be a list"),
        ("cases: [{name: x, person: a, product: p, at: noon, expect: deny}]", "must be a day or a time"),
        ("cases: [{name: x, person: a, product: p, at: 2026-02-30, expect: deny}]", "day is out of range"),
        ("cases: [{name: x, person: a, product: p, at: 2026-01-01, expect: deny, by: [x]}]", "by must be the name"),
        (
            "cases: [{name: x, person: a, product: p, at: 2026-01-01, expect: deny, parameters: [x]}]",
            "parameters must be a mapping",
        ),
    ],
)
def test_what_is_no_case(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "cases.yml").write_text(text)
    with pytest.raises(UsageError, match=fault):
        read_cases(tmp_path / "cases.yml", ZoneInfo("UTC"))


def _chain(count: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(1, count + 1):
        record = AuditRecord("asked", NOW, f"person {number}", "login", "machine", details={"n": number})
        entries.append(chain(record, number, entries[-1].hash if entries else GENESIS))
    return entries


class TestAudit:
    KEY = b"0123456789abcdef"

    @given(st.integers(1, 6), st.data())
    def test_whatever_is_edited_is_named(self, count: int, data: st.DataObject) -> None:
        entries = _chain(count)
        anchors = [anchor(entry, self.KEY, NOW) for entry in entries]
        assert verify(entries, anchors) == []
        index = data.draw(st.integers(0, count - 1))
        field = data.draw(st.sampled_from(["body", "previous", "hash"]))
        changed = data.draw(st.text(min_size=1).filter(lambda text: text != getattr(entries[index], field)))
        entries[index] = replace(entries[index], **{field: changed})
        assert index + 1 in {fault.number for fault in verify(entries, anchors)}

    @given(st.integers(2, 6), st.data())
    def test_whatever_is_left_out_is_found(self, count: int, data: st.DataObject) -> None:
        entries = _chain(count)
        anchors = [anchor(entry, self.KEY, NOW) for entry in entries]
        del entries[data.draw(st.integers(0, count - 1))]
        assert verify(entries, anchors)

    def test_an_entry_that_was_added_without_an_anchor_is_found(self) -> None:
        entries = _chain(3)
        anchors = [anchor(entry, self.KEY, NOW) for entry in entries[:2]]
        (fault,) = verify(entries, anchors)
        assert fault.sentence == "entries 3 to 3 were never anchored"

    @given(st.integers(0, 4), st.integers(1, 5), st.integers(0, 3))
    def test_a_tail_that_was_cut_is_found_also_when_the_log_went_on(self, kept: int, cut: int, more: int) -> None:
        before, after = _chain(kept + cut), _chain(kept)
        for number in range(kept + 1, kept + cut + more + 1):
            record = AuditRecord("asked", NOW, "eve", "login", "machine", details={"n": number})
            after.append(chain(record, number, after[-1].hash if after else GENESIS))
        anchors = [anchor(entry, self.KEY, NOW) for entry in [*before, *after[kept:]]]
        faults = verify(after, anchors)
        assert [fault.number for fault in faults] == list(range(kept + 1, kept + cut + 1))
        assert all("written anew" in fault.sentence for fault in faults)

    def test_anchors_are_read_from_whatever_syslog_put_before_them(self) -> None:
        (entry,) = _chain(1)
        line = anchor(entry, self.KEY, NOW).line
        anchors, faults = read_anchors([f"Nov 25 10:30:00 host bedplate[1]: {line}", "something else"], self.KEY)
        assert (len(anchors), faults) == (1, [])

    def test_a_line_that_somebody_wrote_without_the_key_is_told(self) -> None:
        (entry,) = _chain(1)
        forged = anchor(entry, b"another key of 16", NOW).line
        anchors, faults = read_anchors([forged, forged[:80]], self.KEY)
        assert not anchors
        assert [fault.sentence for fault in faults] == [
            "line 1 of the anchors is not signed with the key", "line 2 of the anchors is damaged",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("old", "new"),
        [("{", "["), ('"at"', '"on"'), ("+00:00", ""), ('{"n":1}', '"n"'), ('"kind"', '"what"'), ("2026-", "MMXXVI-")],
    )
    def test_an_entry_that_cannot_be_read(self, old: str, new: str) -> None:
        (entry,) = _chain(1)
        assert entry.record.details == {"n": 1}
        assert old in entry.body
        with pytest.raises(ValueError, match="entry 1 cannot be read"):
            _ = replace(entry, body=entry.body.replace(old, new)).record
