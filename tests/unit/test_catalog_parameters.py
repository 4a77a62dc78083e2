"""Parameters as people give them, and what holds for every value."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from bedplate.catalog import (
    Parameter,
    Product,
    ResolvedParameters,
    parse_assignments,
    parse_parameters,
    resolve_parameters,
)
from bedplate.catalog.durations import format_duration, parse_duration
from bedplate.catalog.rules import UnfitValueError, convert
from bedplate.errors import ParameterError

# Text for the YAML 1.1 that PyYAML writes, so not quoted by it, and a number in YAML 1.2.
EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TYPES = [kind for kind in Parameter.model_json_schema()["properties"]["type"]["enum"] if not kind.startswith("choice")]


def parameter(kind: str, **keys: Any) -> Parameter:
    return Parameter.model_validate({"name": "x", "title": "X", "type": kind, **keys})


def sample(*parameters: dict[str, Any]) -> Product:
    return Product.model_validate(
        {
            "name": "sample",
            "title": "Sample",
            "summary": "A sample.",
            "owner": {"team": "platform", "contact": "platform@example.com"},
            "lifecycle": {"stage": "beta"},
            "playbook": "playbooks/sample.yml",
            "parameters": [{"title": "X", **each} for each in parameters],
        }
    )


@given(TEXT)
def test_text_is_never_changed(text: str) -> None:
    assert convert(parameter("string"), text) == text


@given(st.integers(-(10**17), 10**17))
def test_an_integer_survives_being_typed(number: int) -> None:
    assert convert(parameter("integer"), str(number)) == number


@given(st.booleans(), st.sampled_from([str.lower, str.upper, str.title]))
def test_a_boolean_survives_being_typed(value: bool, spelling: Any) -> None:
    assert convert(parameter("boolean"), spelling(str(value))) is value


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_date_survives_being_typed(day: date) -> None:
    assert convert(parameter("date"), day.isoformat()) == day.isoformat()
    assert convert(parameter("date"), day) == day.isoformat()


@given(st.integers(0, 10**9))
def test_a_duration_has_one_canonical_text(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    text = format_duration(length)
    assert parse_duration(text) == length
    assert convert(parameter("duration"), f"{seconds % 10**6}s") == format_duration(timedelta(seconds=seconds % 10**6))


@given(st.lists(st.sampled_from(["a", "b b", "c"]), unique=True, min_size=1))
def test_choices_survive_being_typed(chosen: list[str]) -> None:
    asked = parameter("choices", choices=["a", "b b", "c"])
    assert convert(asked, ",".join(chosen)) == convert(asked, "\n".join(chosen)) == convert(asked, chosen) == chosen


@given(st.sampled_from(TYPES), ANYTHING)
def test_whatever_is_given_is_taken_as_canonical_or_refused_in_one_line(kind: str, value: Any) -> None:
    try:
        canonical = convert(parameter(kind), value)
    except UnfitValueError as unfit:
        message = str(unfit)
    else:
        message = ""
        assert convert(parameter(kind), canonical) == canonical
        assert json.loads(json.dumps(canonical)) == canonical
    assert "\n" not in message
    assert message.encode().decode() == message


@given(ANYTHING, st.sampled_from([{"min": 8}, {"max": 1}, {"pattern": "[0-9]{20}"}, {"required": True}]))
def test_a_refused_secret_is_never_in_the_message(value: Any, keys: dict[str, Any]) -> None:
    try:
        convert(parameter("secret", **keys), value)
    except UnfitValueError as unfit:
        message = str(unfit)
    else:
        return
    assert message in {
        "must be text",
        "must be valid Unicode text",
        "must not be empty",
        "must have a value, leave it out to get the default",
        "must have at least 8 characters",
        "must have at most 1 characters",
        "must match [0-9]{20}",
    }


def test_all_faults_come_at_once_and_in_order() -> None:
    product = sample({"name": "count", "type": "integer"}, {"name": "who", "required": True})
    with pytest.raises(ParameterError) as caught:
        resolve_parameters(product, {"cuont": "1", "count": "x", "zzz": 1})
    assert str(caught.value).split("\n") == [
        "there is no parameter 'cuont'; did you mean count?",
        "there is no parameter 'zzz'; known are count, who",
        "parameter count must be an integer, not 'x'",
        "parameter who is required",
    ]


def test_a_product_without_parameters_says_so() -> None:
    with pytest.raises(ParameterError, match="there is no parameter 'a'; sample has none"):
        resolve_parameters(sample(), {"a": "1"})


def test_secrets_are_named_and_not_shown() -> None:
    product = sample({"name": "token", "type": "secret"}, {"name": "pin", "secret": True}, {"name": "size"})
    resolved = resolve_parameters(product, {"token": "hunter2", "size": "s"})
    assert resolved == ResolvedParameters({"token": "hunter2", "size": "s"}, frozenset({"token"}))
    assert "hunter2" not in repr(resolved)


def test_assignments() -> None:
    assert parse_assignments(["a=1", "b=", "c=x=y", " d =e\nf"]) == {"a": "1", "b": "", "c": "x=y", "d": "e\nf"}


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        (["a=1", "hunter2"], "-p number 2: must be name=value"),
        (["=hunter2"], "-p number 1: must be name=value"),
        (["a=1", "a=hunter2"], "-p number 2: parameter a is given twice"),
    ],
)
def test_wrong_assignments(assignments: list[str], sentence: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_assignments(assignments)
    assert str(caught.value) == sentence


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), TEXT | st.integers() | st.booleans()))
def test_a_file_of_parameters_gives_back_what_was_written(parameters: dict[str, Any]) -> None:
    assert parse_parameters(json.dumps(parameters), "p.json") == parameters
    assume(not any(isinstance(value, str) and EXPONENT.fullmatch(value) for value in parameters.values()))
    assert parse_parameters(yaml.safe_dump(parameters), "p.yml") == parameters


def test_a_file_of_parameters_keeps_words() -> None:
    text = "day: 2026-01-01\ntime: 12:30\nanswer: yes\nflag: true\ncount: 3\nmode: 0644\nempty:\n"
    assert parse_parameters(text, "p.yml") == {
        "day": "2026-01-01",
        "time": "12:30",
        "answer": "yes",
        "flag": True,
        "count": 3,
        "mode": "0644",
        "empty": None,
    }
    assert parse_parameters("", "p.yml") == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a\n", "p.yml:1: must be a mapping of parameter names to values"),
        ("a: 1\nb: [\n", "p.yml:3: is not YAML: "),
        ("a: 1\n\na: 2\n", "p.yml:3: a is there twice, first in line 1"),
        ("a: 1\n2: b\n", "p.yml:2: has a key that is not text"),
        ("a: !!python/object/apply:os.system [id]\n", "p.yml:1: is not YAML: could not determine a constructor"),
        ('{"a": 1,\n"a": 2}', "p.yml:2: a is there twice, first in line 1"),
        ("a: \x00\n", "p.yml:1: is not YAML: "),
    ],
)
def test_wrong_files_of_parameters(text: str, sentence: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(text, "p.yml")
    assert str(caught.value).startswith(sentence)
