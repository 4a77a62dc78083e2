"""Surveys and schedules for AWX: whatever a manifest may say, AWX takes it and asks for no less than it needs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.awx.calendars import UnfitCalendarError, rrule_of
from bedplate.awx.surveys import answer_of, survey_of
from bedplate.catalog import FleetNames, Parameter, resolve_parameters
from fake_awx.catalog import product
from fake_awx.launches import check_answers, filled
from fake_awx.recurrence import read_rrule
from fake_awx.surveys import check_survey

CORPUS = Path(__file__).parents[1] / "fixtures" / "parameters" / "corpus.json"
ACCEPTED = [case for case in json.loads(CORPUS.read_text(encoding="utf-8")) if "values" in case and case["parameters"]]
# fmt: off
QUESTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "string": ({"type": "string", "required": True}, {"type": "text", "min": 1, "max": None, "required": True}),
    "bounds": (
        {"type": "string", "min": 3, "max": 9, "required": True}, {"type": "text", "min": 3, "max": 9},
    ),
    "optional string may stay empty": ({"type": "string", "min": 3}, {"type": "text", "min": 0}),
    "text": ({"type": "text", "default": "a\nb"}, {"type": "textarea", "default": "a\nb"}),
    "empty default": ({"type": "string", "default": ""}, {"type": "text", "default": None}),
    "secret": ({"type": "secret", "required": True}, {"type": "password", "default": None}),
    "secret string": ({"type": "string", "secret": True}, {"type": "password"}),
    "integer": ({"type": "integer", "min": 1, "max": 5, "default": 3}, {"type": "integer", "min": 1, "default": 3}),
    "number": (
        {"type": "number", "min": 0.5, "max": 1.5, "default": 1.0},
        {"type": "float", "min": 0, "max": 2, "default": 1.0, "question_description": "At least 0.5 and at most 1.5."},
    ),
    "boolean": (
        {"type": "boolean", "default": False},
        {"type": "multiplechoice", "choices": ["true", "false"], "default": "false"},
    ),
    "choice": (
        {"type": "choice", "choices": ["a", "b"], "default": "b"},
        {"type": "multiplechoice", "choices": ["a", "b"], "default": "b"},
    ),
    "choices": (
        {"type": "choices", "choices": ["a", "b", "c"], "default": ["a", "c"], "max": 2},
        {"type": "multiselect", "default": "a\nc", "max": None, "question_description": "At most 2 answers."},
    ),
    "choices of the fleet": (
        {"type": "choices", "choices_from": "sites"},
        {
            "type": "textarea", "choices": [],
            "question_description": "Names of sites of the inventory, with commas between them.",
        },
    ),
    "choice of the fleet": ({"type": "choice", "choices_from": "tenants"}, {"type": "text"}),
    "choice of a command": (
        {"type": "choice", "choices_from": "command", "choices_command": ["tools/versions", "--stable"]},
        {"type": "text", "question_description": "What tools/versions says."},
    ),
    "host": ({"type": "host"}, {"type": "text", "question_description": "The name of a host of the inventory."}),
    "group": ({"type": "group"}, {"type": "text"}),
    "duration": (
        {"type": "duration", "min": "1m", "default": "5m"},
        {
            "type": "text", "default": "5m", "min": None,
            "question_description": "A duration such as 30m or 1h30m. At least 1m.",
        },
    ),
    "date": ({"type": "date"}, {"type": "text", "question_description": "A date such as 2026-03-31."}),
    "pattern": (
        {"type": "string", "pattern": "[a-z]+", "help": "Small."},
        {"question_description": "Small. Must match [a-z]+"},
    ),
}
# fmt: on


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_type_becomes_a_question_that_awx_takes(name: str) -> None:
    parameter, expected = QUESTIONS[name]
    survey = survey_of(product(parameters=[{"name": "asked", "title": "Asked", **parameter}]))
    assert survey is not None
    check_survey(survey, None)
    question = survey["spec"][0]
    assert {key: question.get(key) for key in expected} == expected
    assert question.get("default") != ""


@pytest.mark.parametrize("case", ACCEPTED, ids=[case["case"] for case in ACCEPTED])
def test_what_the_manifest_accepts_comes_through_awx_as_it_is(case: dict[str, Any]) -> None:
    ordered = product(parameters=case["parameters"])
    survey = survey_of(ordered)
    assert survey is not None
    check_survey(survey, None)
    parameters = {parameter.name: parameter for parameter in ordered.parameters}
    answers = {
        name: answer_of(parameters[name], case["values"][name]) for name in case["given"] if name in case["values"]
    }
    check_answers(survey, answers)
    sent = {**filled(survey, answers), **answers}
    fleet = FleetNames(**case["fleet"]) if "fleet" in case else None
    assert resolve_parameters(ordered, sent, fleet).values == case["values"]


def test_a_condition_makes_a_question_optional() -> None:
    asked = {"name": "reason", "title": "Why", "required": True, "when": {"reboot": True}}
    waits = {"name": "wait", "type": "duration", "title": "Wait", "default": "5m", "when": {"reboot": True}}
    survey = survey_of(product(parameters=[{"name": "reboot", "type": "boolean", "title": "Reboot"}, asked, waits]))
    assert survey is not None
    assert survey["spec"][1]["required"] is False
    assert survey["spec"][1]["min"] == 0
    assert survey["spec"][1]["question_description"] == "Only if reboot is true."
    assert "default" not in survey["spec"][2]


def test_a_product_that_asks_nothing_has_no_survey() -> None:
    assert survey_of(product(parameters=[])) is None


@pytest.mark.parametrize(
    ("parameter", "value", "answer"),
    [
        ({"type": "boolean"}, True, "true"),
        ({"type": "integer"}, 3, 3),
        ({"type": "choices", "choices": ["a", "b"]}, ["a"], ["a"]),
        ({"type": "choices", "choices": ["a", "b"]}, "a, b", ["a", "b"]),
        ({"type": "choices", "choices_from": "sites"}, ["a", "b"], "a, b"),
        ({"type": "duration"}, "5m", "5m"),
        ({"type": "string"}, "x", "x"),
    ],
)
def test_answers_have_the_type_of_the_question(parameter: dict[str, Any], value: Any, answer: Any) -> None:
    asked = {"name": "asked", "title": "Asked", **parameter}
    assert answer_of(Parameter.model_validate(asked), value) == answer
    survey = survey_of(product(parameters=[asked]))
    assert survey is not None
    check_answers(survey, {"asked": answer})


@pytest.mark.parametrize(
    ("calendar", "rule"),
    [
        ("daily", "FREQ=DAILY;INTERVAL=1;BYHOUR=0;BYMINUTE=0"),
        ("Mon..Fri 02:30", "FREQ=DAILY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR;BYHOUR=2;BYMINUTE=30"),
        ("Sat,Sun 06:00:00", "FREQ=DAILY;INTERVAL=1;BYDAY=SA,SU;BYHOUR=6;BYMINUTE=0"),
        ("hourly", "FREQ=HOURLY;INTERVAL=1;BYMINUTE=0"),
        ("*:0/15", "FREQ=HOURLY;INTERVAL=1;BYMINUTE=0,15,30,45"),
        ("*-*-01 03:00", "FREQ=DAILY;INTERVAL=1;BYMONTHDAY=1;BYHOUR=3;BYMINUTE=0"),
        ("Mon *-*-1..7 03:00", "FREQ=DAILY;INTERVAL=1;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=MO;BYHOUR=3;BYMINUTE=0"),
        ("quarterly", "FREQ=DAILY;INTERVAL=1;BYMONTH=1,4,7,10;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0"),
        ("01-01 00:00", "FREQ=DAILY;INTERVAL=1;BYMONTH=1;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0"),
        ("minutely", "FREQ=MINUTELY;INTERVAL=1"),
    ],
)
def test_a_calendar_becomes_a_rule_that_awx_takes(calendar: str, rule: str) -> None:
    text = rrule_of(calendar, "Europe/Berlin")
    assert text == f"DTSTART;TZID=Europe/Berlin:20260101T000000 RRULE:{rule}"
    said = read_rrule(text)
    assert said["rrule"] == text
    assert said["next_run"]


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ("2027-01-01 02:00", "no years"),
        ("*-*~01 02:00", "no days from the end of a month"),
        ("02:00:30", "no seconds"),
        ("Noday 02:00", "must be a calendar event"),
        ("25:00", "has hours from 0 to 23"),
        ("5..4:00", "end before they begin"),
    ],
)
def test_a_calendar_that_awx_cannot_follow_is_said(calendar: str, said: str) -> None:
    with pytest.raises(UnfitCalendarError, match=said):
        rrule_of(calendar, "UTC")


@given(st.integers(0, 23), st.integers(0, 59))
def test_it_starts_at_that_time(hour: int, minute: int) -> None:
    moment = datetime.fromisoformat(read_rrule(rrule_of(f"{hour:02}:{minute:02}", "UTC"))["next_run"])
    assert (moment.hour, moment.minute, moment.tzinfo) == (hour, minute, UTC)
