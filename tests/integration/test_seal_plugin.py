"""The control node's half of the module `seal`: on this machine, with and without the folder of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bedplate.drift.capture import read_capture
from lab_fleet import ROOT

PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"name": "Look", "bedplate.datacenter.seal": {"watch": False}, "register": "seen"},
            {
                "name": "Show",
                "ansible.builtin.copy": {"content": "{{ seen | to_json }}", "dest": "{{ shown }}", "mode": "0600"},
            },
        ],
    }
]


def play(folder: Path, variables: dict[str, Any], **environment: str) -> dict[str, Any]:
    """Run the module on a host with a difficult name, and return its result."""
    inventory = {
        "all": {"hosts": {"web/1": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}}
    }
    for name, document in (("play.yml", PLAY), ("hosts.yml", inventory)):
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    shown = folder / "shown"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i", str(folder / "hosts.yml"), str(folder / "play.yml"),
            "-e", json.dumps({"shown": str(shown), **variables}),
        ],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("BEDPLATE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_HOME": str(folder), **environment,
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(shown.read_text(encoding="utf-8"))
    return answer


def test_in_a_run_the_request_and_the_answer_are_files(tmp_path: Path) -> None:
    (tmp_path / "artifacts" / "seal").mkdir(parents=True)
    request = {"resources": {"file": {str(ROOT / "galaxy.yml"): ""}}, "text": "all"}
    (tmp_path / "artifacts" / "seal" / "web%2F1.json").write_text(json.dumps(request), encoding="utf-8")
    answer = play(tmp_path, {}, BEDPLATE_ARTIFACTS=str(tmp_path / "artifacts"))
    assert "capture" not in answer
    assert answer["truncated"] is False
    file = tmp_path / "artifacts" / "captures" / "web%2F1"
    assert file.stat().st_mode & 0o777 == 0o600
    capture = read_capture(file.read_text(encoding="ascii"))
    assert capture.states["file"][str(ROOT / "galaxy.yml")]["type"] == "file"
    assert list(capture.texts) == [str(ROOT / "galaxy.yml")]


def test_elsewhere_the_answer_is_the_result(tmp_path: Path) -> None:
    answer = play(tmp_path, {"bedplate_seal_requests": {"web/1": {"resources": {"file": {"/nowhere": None}}}}})
    assert read_capture(answer["capture"]).states["file"] == {"/nowhere": {"presence": "absent"}}
