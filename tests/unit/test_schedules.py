"""Calendars, units, cron's file, and what is installed and removed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bedplate.catalog.calendar import cron_fields, parse_calendar
from bedplate.schedules.rendering import quote
from command_result import ContentCommand

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "schedule.schema.json"
ANALYZE = shutil.which("systemd-analyze")
MANIFEST = """\
name: sample
title: Sample 100%
summary: A sample.
owner: {team: platform, contact: "#platform"}
lifecycle: {stage: beta}
playbook: playbooks/sample.yml
parameters:
  - {name: word, type: string, title: Word}
  - {name: sites, type: choices, title: Sites, choices: [a, b]}
  - {name: deep, type: boolean, title: Deep}
schedule:
  - calendar: Mon..Fri 02:30
    timezone: Europe/Berlin
    jitter: 5m
    catch_up: true
    check: true
    limit: "site_fra1:&class_colo"
    parameters: {word: "50% of \\"$HOME\\" '$(id)'", deep: true, sites: [a, b]}
  - {calendar: "*-*-01 06:00"}
"""
EVENTS = {
    "daily": "0 0 * * *",
    "hourly": "0 * * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 1,4,7,10 *",
    "02:30": "30 2 * * *",
    "Mon..Fri 02:30": "30 2 * * 1,2,3,4,5",
    "Mon,Wed *-*-* 02:30:00": "30 2 * * 1,3",
    "Sunday 22:00": "0 22 * * 7",
    "*:0/15": "0-59/15 * * * *",
    "8..18/2:05": "5 8-18/2 * * *",
    "5/6:00": "0 5-23/6 * * *",
    "*-01,07-01 06:00": "0 6 1 1,7 *",
}
ONLY_SYSTEMD = ["2027-*-* 01:00", "*-*~01 01:00", "*:*:30", "Mon *-*-01 01:00"]
WRONG = [
    "",
    "sometimes",
    "25:00",
    "12:60",
    "*-13-01",
    "*-*-32",
    "Foo 02:30",
    "Mondy 02:30",
    "02:30 Europe/Berlin",
    "02",
    "1:2:3:4",
    "*-02-30",
    "*-02,04-31",
    "*:0/0",
    "*:0/60",
    "*:50/15",
    "5..2:00",
    "*-*~29",
    "1969-01-01",
    "2200-01-01",
    "2027/0-01-01",
]
NEVER = ("*-02-30", "*-02,04-31")  # systemd takes them, and waits for ever


@pytest.mark.parametrize("event", [*EVENTS, *ONLY_SYSTEMD])
def test_what_systemd_takes_is_taken(event: str) -> None:
    parse_calendar(event)
    if ANALYZE:
        subprocess.run([ANALYZE, "calendar", event], check=True, capture_output=True)


@pytest.mark.parametrize("event", WRONG)
def test_what_is_no_calendar_event(event: str) -> None:
    with pytest.raises(ValueError, match=r"must be|has|there is no"):
        parse_calendar(event)


@pytest.mark.parametrize("event", NEVER)
def test_what_never_comes(event: str) -> None:
    with pytest.raises(ValueError, match="has a day that never comes"):
        parse_calendar(event)


@pytest.mark.parametrize(("event", "fields"), EVENTS.items())
def test_cron_says_the_same(event: str, fields: str) -> None:
    assert cron_fields(parse_calendar(event)) == fields


@pytest.mark.parametrize("event", ONLY_SYSTEMD)
def test_what_cron_cannot_say_is_refused(event: str) -> None:
    with pytest.raises(ValueError, match="cron"):
        cron_fields(parse_calendar(event))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30))
def test_a_word_stays_one_word_for_systemd(word: str) -> None:
    quoted = quote(word)
    assert "%" not in quoted.replace("%%", "")
    assert shlex.split(quoted.replace("%%", "%")) == [word] or "\\" in word or "`" in word or "$" in word


class Bedplate(ContentCommand):
    """`bedplate schedule`, on one product."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__("schedule", root, capsys)
        self.write("galaxy.yml", "namespace: bedplate\n")
        self.offer(MANIFEST)

    def offer(self, manifest: str) -> None:
        self.write("playbooks/products/sample.yml", manifest)


@pytest.fixture
def bedplate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bedplate:
    root = tmp_path / "a clone"
    root.mkdir()
    monkeypatch.setenv("BEDPLATE_CONTENT_PATH", str(root))
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    (root / "bedplate.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(root)
    return Bedplate(root, capsys)


def test_units(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_STORE_URL", "postgresql://kim:hunter2@db/bedplate")
    result = bedplate("show", "-o", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(document)
    assert list(document["files"]) == [
        "bedplate-sample-1.timer", "bedplate-sample-1.service", "bedplate-sample-2.timer", "bedplate-sample-2.service",
    ]  # fmt: skip
    timer, service = (document["files"][f"bedplate-sample-1.{kind}"] for kind in ("timer", "service"))
    assert "\nOnCalendar=Mon..Fri 02:30 Europe/Berlin\nRandomizedDelaySec=300\nPersistent=true\n" in timer
    assert "Sample 100%%" in timer
    assert f"\nWorkingDirectory={bedplate.root}\n" in service
    assert "hunter2" not in result.out + result.err
    assert result.err == "bedplate: scheduled runs will not know BEDPLATE_STORE_URL: put that into bedplate.toml\n"
    (start,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    assert '"word=50%% of \\"$$HOME\\" \'$$(id)\'"' in start
    assert '"sites=a\\nb\\n"' in start
    assert start.endswith('"sites=a\\nb\\n"')
    assert "--check --limit" in start
    assert "Persistent=false" in document["files"]["bedplate-sample-2.timer"]


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze here")
def test_a_start_keeps_to_the_clock_of_its_zone_over_summer_time(bedplate: Bedplate) -> None:
    bedplate.offer(MANIFEST.replace("Mon..Fri 02:30", "04:30"))
    timer = json.loads(bedplate("show", "-o", "json").out)["files"]["bedplate-sample-1.timer"]
    (event,) = [line.removeprefix("OnCalendar=") for line in timer.splitlines() if line.startswith("OnCalendar=")]
    command = [str(ANALYZE), "calendar", "--base-time=2027-03-27 00:00:00 UTC", "--iterations=2", event]
    said = subprocess.run(
        command, check=True, capture_output=True, text=True, env={"TZ": "UTC", "PATH": "/usr/bin"}
    ).stdout
    assert re.findall(r"2027-03-\d\d \d\d:\d\d:\d\d UTC", said) == [
        "2027-03-27 03:30:00 UTC",
        "2027-03-28 02:30:00 UTC",
    ]


def test_systemd_is_asked(bedplate: Bedplate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bedplate("show").code == 0
    fake = bedplate.root / "bin"
    fake.mkdir()
    (fake / "systemd-analyze").write_text(
        '#!/bin/sh\necho "bedplate-sample-1.timer:8: Bad" >&2\nexit 1\n', encoding="utf-8"
    )
    (fake / "systemd-analyze").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    result = bedplate("show")
    assert (result.code, result.err) == (2, "bedplate: systemd does not take it: bedplate-sample-1.timer:8: Bad\n")


def test_cron(bedplate: Bedplate) -> None:
    bedplate.offer(MANIFEST.replace(", sites: [a, b]}", "}"))
    result = bedplate("show", "--cron")
    assert result.code == 0, result.err
    assert "cron does not make up for a start that was missed" in result.err
    assert "Debian's does not" in result.err
    lines = result.out.splitlines()
    first = next(line for line in lines if line.startswith("30 2 "))
    assert lines[lines.index(first) - 1] == "CRON_TZ=Europe/Berlin"
    assert first.startswith("30 2 * * 1,2,3,4,5 ")
    assert 'sleep "$(shuf -n 1 -i 0-300)"; ' in first
    assert "50\\% of" in first
    assert "%" not in first.replace("\\%", "")
    bedplate.offer(MANIFEST)
    assert (
        bedplate("show", "--cron").err == "bedplate: sample: cron takes no text of many lines (use systemd's timers)\n"
    )


def test_install_and_remove(bedplate: Bedplate, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    place = ("--folder", str(folder), "--no-start")
    assert len(bedplate("install", *place).out.splitlines()) == 4
    assert bedplate("install", *place).err == "Nothing to do.\n"
    bedplate.offer(MANIFEST.replace("02:30", "03:30"))
    assert bedplate("install", *place).out == f"{folder}/bedplate-sample-1.timer\n"
    (folder / "bedplate-other.timer").write_text("[Timer]\n", encoding="utf-8")
    assert bedplate("remove", "other", *place).err == "Nothing to do.\n"
    assert len(bedplate("remove", "sample", *place).out.splitlines()) == 4
    assert [path.name for path in folder.iterdir()] == ["bedplate-other.timer"]


def test_what_is_not_ours_is_left_alone(bedplate: Bedplate, tmp_path: Path) -> None:
    (tmp_path / "bedplate-sample-2.timer").write_text("[Timer]\n", encoding="utf-8")
    result = bedplate("install", "--folder", str(tmp_path), "--no-start")
    assert result.code == 2
    assert "bedplate-sample-2.timer: is there and was not written by bedplate" in result.err
    assert not (tmp_path / "bedplate-sample-1.timer").exists()


def test_cron_is_installed_as_one_file(bedplate: Bedplate, tmp_path: Path) -> None:
    bedplate.offer(MANIFEST.replace(", sites: [a, b]}", "}"))
    place = ("--cron", "--folder", str(tmp_path))
    assert bedplate("install", *place).out == f"{tmp_path}/bedplate\n"
    assert bedplate("remove", *place).out == f"{tmp_path}/bedplate\n"


def test_a_product_without_schedule(bedplate: Bedplate) -> None:
    bedplate.offer(MANIFEST[: MANIFEST.index("schedule:")])
    assert bedplate("show").out == "No product has a schedule.\n"
    assert "sample has no schedule" in bedplate("show", "sample").err


def test_a_schedule_that_cannot_be_kept(bedplate: Bedplate) -> None:
    bedplate.offer(MANIFEST.replace("Mon..Fri 02:30", "at night"))
    assert bedplate("show").err.startswith("bedplate: sample: schedule[0]: calendar must be a calendar event")


def test_timers_are_started_and_stopped(bedplate: Bedplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/said\nexit "${{FAIL:-0}}"\n', encoding="utf-8")
    (fake / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    folder = str(tmp_path / "units")
    assert bedplate("install", "--folder", folder).code == 0
    assert bedplate("remove", "--folder", folder).code == 0
    words = [line.removeprefix("--user ") for line in (tmp_path / "said").read_text(encoding="utf-8").splitlines()]
    timers = "bedplate-sample-1.timer bedplate-sample-2.timer"
    assert words == ["daemon-reload", f"enable --now {timers}", f"disable --now {timers}", "daemon-reload"]
    monkeypatch.setenv("FAIL", "1")
    result = bedplate("install", "--folder", folder)
    assert (result.code, result.err) == (9, "bedplate: systemctl daemon-reload failed: 1\n")
