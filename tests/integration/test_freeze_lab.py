"""A freeze that begins in the middle of a run on real hosts: the batch under way ends, the next one does not begin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from integration.execution_project import wait_for
from integration.products import Ordered, as_root
from lab_fleet import LabFleet

FIRST, SECOND = "ash1-cloud-01", "fra1-colo-01"
HOOKS = "/etc/bedplate/hooks"
# The drain takes long enough for a freeze to begin and to be seen.
INSTALL = f"""
mkdir -p {HOOKS}/drain.d {HOOKS}/undrain.d
printf '#!/bin/sh\\necho drain >> /root/stages\\nsleep 15\\n' > {HOOKS}/drain.d/10-proof
printf '#!/bin/sh\\necho undrain >> /root/stages\\n' > {HOOKS}/undrain.d/10-proof
chmod +x {HOOKS}/*.d/*
rm -f /root/stages
"""


@pytest.fixture
def drained(lab: LabFleet) -> Iterator[LabFleet]:
    """Two hosts whose hooks write down that they ran."""
    for host in (FIRST, SECOND):
        as_root(lab, host, INSTALL)
    yield lab
    for host in (FIRST, SECOND):
        as_root(lab, host, f"rm -rf {HOOKS} /root/stages")


def test_a_freeze_that_begins_in_mid_run(drained: LabFleet, tmp_path: Path) -> None:
    calendar = tmp_path / "company.yml"
    calendar.write_text("freezes: []\n", encoding="utf-8")
    environment = {
        **drained.environment,
        "BEDPLATE_GUARDRAILS_CALENDARS": str(tmp_path),
        "BEDPLATE_GUARDRAILS_FREEZE": "company",
    }
    command = [sys.executable, "-m", "bedplate", "run", "reboot", "--limit", f"{FIRST},{SECOND}", "-o", "json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: as_root(drained, FIRST, "cat /root/stages", check=False), "the first host to be drained")
        now = datetime.now(UTC)
        freeze = {"name": "Year end", "from": now.isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
        (tmp_path / "next").write_text(yaml.safe_dump({"freezes": [freeze]}), encoding="utf-8")
        (tmp_path / "next").replace(calendar)
        out, err = run.communicate(timeout=600)
    assert run.returncode == 8, out + err
    done = Ordered(run.returncode, json.loads(out))
    assert "frozen by 'Year end'" in done.run["error"]
    assert done.outcomes == {FIRST: "changed", SECOND: "not_started"}, "a report is left of what was done"
    assert as_root(drained, FIRST, "cat /root/stages").split() == ["drain", "undrain"]
    assert as_root(drained, SECOND, "cat /root/stages", check=False) == ""
