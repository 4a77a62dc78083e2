"""Extra variables reach ansible as they were given, and never as templates."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from bedplate.execution.untemplated import untemplated_yaml

_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["true", "no", "3", "1.5", "null", "~", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


def _loaded(variables: dict[str, Any]) -> Any:
    return DataLoader().load(untemplated_yaml(variables))


@given(value=_PLAIN)
def test_what_ansible_loads_is_what_was_given(value: Any) -> None:
    loaded = _loaded({"value": value})["value"]
    assert loaded == value
    assert type(loaded) is type(value) or isinstance(loaded, type(value))


@pytest.mark.parametrize(
    "word", ["true", "Yes", "off", "3", "0x1f", "1.5", ".inf", "null", "~", "", "2026-11-22", "=", "<<"]
)
def test_words_that_look_typed_stay_text(word: str) -> None:
    assert _loaded({"value": word, "inner": {"list": [word]}}) == {"value": word, "inner": {"list": [word]}}


@pytest.mark.parametrize("template", ["{{ lookup('pipe', 'id') }}", "{% raw %}", "lookup('pipe', 'id')", "x {# y #}"])
def test_templates_are_tagged(template: str) -> None:
    assert f'!unsafe "{template}"' in untemplated_yaml({"value": template})
    assert "!unsafe" in untemplated_yaml({"outer": {template: 1}})
