"""What systemd's own socket tells of units, beside what systemctl shows of them, on a host of the lab."""

from __future__ import annotations

import json
from typing import Any

from integration.test_drift_corpus import as_root
from lab_fleet import ROOT, LabFleet, podman

HOST = "fra1-colo-01"
# Prints properties by unit, as the module reads them, and as systemctl shows them.
ASK = r"""
cat > /run/ask.py <<'END'
import json, subprocess, sys
sys.path.insert(0, "/run")
import seal_bus
def told(*words):
    return subprocess.run(["systemctl", "--no-pager", *words], stdout=subprocess.PIPE, text=True, check=True).stdout
lines = told("list-units", "--all", "--plain", "--no-legend").splitlines()
names = [line.split()[0] for line in lines if seal_bus._PLAIN.fullmatch(line.split()[0])]
names += ["no-such-unit.service", "getty@tty9.service"]
wanted = seal_bus._OF_UNITS + seal_bus._OF_SERVICES
blocks = told("show", "-p", ",".join(wanted), "--", *names).strip("\n").split("\n\n")
shown = [dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
print(json.dumps([names, seal_bus.properties(names), shown]))
END
python3 -B /run/ask.py; rm /run/ask.py /run/seal_bus.py
"""


def test_of_each_unit_systemd_tells_what_systemctl_shows(lab: LabFleet) -> None:
    container = lab.hosts[HOST].container
    podman("cp", str(ROOT / "plugins" / "module_utils" / "seal_bus.py"), f"{container}:/run/seal_bus.py")
    answer: tuple[list[str], list[dict[str, Any]], list[dict[str, Any]]] = json.loads(as_root(lab, HOST, ASK))
    names, told, shown = answer
    assert len(names) > 50
    assert {"loaded", "not-found"} <= {each["LoadState"] for each in told}
    for name, one, other in zip(names, told, shown, strict=True):
        assert one == {key: other.get(key, "") for key in one}, name
        # Of a mount it is the file system, which is no matter of units.
        assert other.keys() - one.keys() <= ({"Type"} if name.endswith(".mount") else set()), name
