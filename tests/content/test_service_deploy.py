"""A service's unit is what was asked and nothing more, and what a host sees of its services is shown as metrics."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin

DEPLOY = load_plugin("plugins/modules/service_deploy.py")
WATCH = load_plugin("plugins/module_utils/deployed_services.py")
PARAMS = {"name": "shop", "team": "t", "memory": "64M", "command": "/bin/shop", "environment": ""}
RECORD = {"name": "shop", "team": "t", "cost_center": "k", "health": "", "metrics": "", "objective": 0.99}


def line(text: str, key: str) -> str:
    """Return the one line of a unit that sets a key."""
    (found,) = [row for row in text.splitlines() if row.startswith(f"{key}=")]
    return found.removeprefix(f"{key}=")


def test_words_mean_nothing_to_systemd() -> None:
    command = "/bin/shop --name 'a \"b\"' --rate 5% --cost $HOME 'back\\slash'"
    text = DEPLOY.unit_text({**PARAMS, "command": command, "environment": "A='x y' B=%h$"})
    expected = r'"/bin/shop" "--name" "a \"b\"" "--rate" "5%%" "--cost" "$$HOME" "back\\slash"'
    assert line(text, "ExecStart") == expected
    assert line(text, "Environment") == '"A=x y" "B=%%h$"'


@given(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40))
def test_no_argument_leaves_its_line(argument: str) -> None:
    quoted = DEPLOY.quoted([argument])
    inner = quoted[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert "%" not in inner.replace("%%", "")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"command": "shop"}, "absolute path"),
        ({"command": ""}, "absolute path"),
        ({"command": "/bin/shop 'open"}, "No closing quotation"),
        ({"environment": "A"}, "no NAME=value"),
        ({"environment": "A-B=1"}, "no NAME=value"),
    ],
)
def test_what_cannot_be_read_is_refused(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DEPLOY.unit_text({**PARAMS, **wrong})


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing")
    path = tmp_path / "shop.service"
    path.write_text(DEPLOY.unit_text({**PARAMS, "command": "/bin/true 100% $X"}), encoding="utf-8")
    done = subprocess.run([program, "verify", str(path)], capture_output=True, text=True, check=False)
    assert "shop.service" not in done.stderr, done.stderr


def test_metrics_of_a_service_get_its_labels_and_a_name_of_their_own() -> None:
    text = '# TYPE hits counter\nhits{path="/"} 3\nup 1 1700000000\nhits{path="/a,b"} 4\nx{host="y"} 1\nrubbish\n'
    assert WATCH.samples(text, 'service="s"') == [
        'service_hits{service="s",path="/"} 3',
        'service_hits{service="s",path="/a,b"} 4',
        'service_up{service="s"} 1',
    ]


def test_each_look_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(RECORD), encoding="utf-8")
    answers = iter([True, False])
    monkeypatch.setattr(WATCH, "RECORDS", str(tmp_path))
    monkeypatch.setattr(WATCH, "is_well", lambda _: next(answers))
    counts: dict[str, dict[str, int]] = {}
    labels = '{service="shop",team="t",cost_center="k"}'
    assert f"bedplate_service_up{labels} 1\n" in WATCH.look(counts)
    assert WATCH.look(counts).splitlines() == [
        f"bedplate_service_check_failures_total{labels} 1",
        f"bedplate_service_checks_total{labels} 2",
        f"bedplate_service_objective_ratio{labels} 0.99",
        f"bedplate_service_up{labels} 0",
    ]
