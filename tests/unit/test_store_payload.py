"""What the store keeps compressed comes back as it was."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.runs import Event
from bedplate.store.columns import plain_text
from bedplate.store.payload import pack_event, pack_names, unpack_event, unpack_names

_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(stdout=_TEXT, data=st.dictionaries(_TEXT, _JSON, max_size=5), task=st.none() | _TEXT)
def test_an_event_comes_back(stdout: str, data: dict[str, object], task: str | None) -> None:
    event = Event(1, "runner_on_ok", datetime(2026, 1, 1, tzinfo=UTC), task=task, stdout=stdout, data=data)
    assert unpack_event(pack_event(event)) == ["", "", None, None, task, None, None, stdout, data]


@given(st.lists(_TEXT, max_size=20))
def test_names_come_back(names: list[str]) -> None:
    assert unpack_names(pack_names(names)) == tuple(names)


def test_the_dictionary_makes_a_usual_event_smaller() -> None:
    data = {
        "playbook": "bedplate.datacenter.baseline",
        "play": "Bring hosts to the baseline",
        "task_action": "ansible.builtin.template",
        "task_path": "/srv/bedplate/roles/time_sync/tasks/configure.yml:12",
        "remote_addr": "web-1",
        "res": {"changed": False, "_ansible_no_log": False, "path": "/etc/chrony/chrony.conf", "mode": "0644"},
    }
    event = Event(9, "runner_on_ok", datetime(2026, 1, 1, tzinfo=UTC), stdout="ok: [web-1]", data=data)
    packed = pack_event(event)
    without = zlib.compress(json.dumps(unpack_event(packed), separators=(",", ":")).encode())
    assert len(packed) < 0.7 * len(without)


def test_a_way_of_compressing_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="not known here"):
        unpack_names(b"\x09abc")


@given(_TEXT)
def test_plain_text_is_taken_by_every_database(text: str) -> None:
    plain = plain_text(text)
    assert "\0" not in plain
    assert plain.encode("utf-8").decode("utf-8") == plain
    assert plain_text(plain) == plain


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_good_text_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text
