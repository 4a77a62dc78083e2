"""What `ansible-inventory --list` says of a local NetBox, by nb_inventory or by our plugin.

The stored answers are nb_inventory's own: netbox.netbox 3.21 on ansible-core 2.19. To make them anew, with the
collection installed beside another ansible-inventory:
`PYTHONPATH=tests python -m integration.nb_inventory_listing /path/to/ansible-inventory`.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from integration.nb_inventory_server import FIXTURES, nb_server

THEIRS = "netbox.netbox.nb_inventory"
OPTIONS: dict[str, dict[str, Any]] = json.loads((FIXTURES / "options.json").read_text())
_GOLDEN = FIXTURES / "golden.json.gz"


def golden() -> dict[str, Any]:
    """Return nb_inventory's stored answers, by the name of the options."""
    answers: dict[str, Any] = json.loads(gzip.decompress(_GOLDEN.read_bytes()))
    return answers


def listing(
    executable: Path, folder: Path, url: str, plugin: str, **options: object
) -> subprocess.CompletedProcess[str]:
    """Return what the program says of an inventory file with these options."""
    file = folder / ("nb.yml" if plugin == THEIRS else "netbox.yml")
    file.write_text(yaml.safe_dump({"plugin": plugin, "api_endpoint": url, "token": "x", **options}))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "NETBOX_"))}
    env |= {
        "HOME": str(folder),
        "BEDPLATE_HOME": str(folder / "home"),
        "ANSIBLE_INVENTORY_ENABLED": plugin,
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    }
    if plugin != THEIRS:
        env["ANSIBLE_COLLECTIONS_PATH"] = str(Path(__file__).parents[2] / "collections")
    return subprocess.run(
        [executable, "-i", file, "--list"], env=env, cwd=folder, capture_output=True, text=True, check=False
    )


def main() -> None:
    """Store nb_inventory's answers to all options."""
    answers = {}
    for name, options in OPTIONS.items():
        with nb_server() as server, tempfile.TemporaryDirectory() as folder:
            done = listing(Path(sys.argv[1]), Path(folder), server.url, THEIRS, **options)
            answers[name] = json.loads(done.stdout.replace(server.url, "http://netbox"))
    text = json.dumps(answers, sort_keys=True, separators=(",", ":"))
    _GOLDEN.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
