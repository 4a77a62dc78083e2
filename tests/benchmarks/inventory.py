"""`ansible all --list-hosts` of 20,000 hosts: our snapshot against the same inventory from a JSON script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .figures import Figure, compare, seconds
from .fleet_snapshot import write_fleet, write_script

HOSTS = 20_000
_SAMPLES = 3
_ROOT = Path(__file__).parents[2]


def measure() -> list[Figure]:
    """Return the figure of listing 20,000 hosts; limit: faster than the script."""
    commands = Path(sys.executable).parent
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
        "ANSIBLE_INVENTORY_ENABLED": "bedplate.datacenter.netbox,ansible.builtin.script",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    }
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "ansible.cfg"
        config.touch()
        env["ANSIBLE_CONFIG"] = str(config)
        fleet = write_fleet(Path(folder) / "fleet", HOSTS)
        ask = [str(commands / "ansible-inventory"), "-i", str(fleet), "--list"]
        listing = json.loads(subprocess.run(ask, env=env, check=True, capture_output=True).stdout)
        script = write_script(listing, Path(folder) / "fleet.sh")
        ours, theirs = ([str(commands / "ansible"), "all", "--list-hosts", "-i", str(of)] for of in (fleet, script))
        pairs = [(seconds(ours, env), seconds(theirs, env)) for _ in range(_SAMPLES)]
    name = f"ansible all --list-hosts, {HOSTS:,} hosts: snapshot / JSON script"
    return [compare(name, *zip(*pairs, strict=True), limit=1.0)]
