"""What `ansible-inventory --list` says of a local NetBox, by nb_inventory or by our plugin.

The stored answers are nb_inventory's own: netbox.netbox 3.21 on ansible-core 2.19, and on 2.15, since Ansible's
templates made values of other types before 2.19. To make them anew, with the collection installed beside another
ansible-inventory:
`PYTHONPATH=tests python -m integration.nb_inventory_listing /path/to/ansible-inventory`.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from integration.nb_inventory_server import FIXTURES, nb_server

THEIRS = "netbox.netbox.nb_inventory"
OPTIONS: dict[str, dict[str, Any]] = json.loads((FIXTURES / "options.json").read_text())
_GOLDEN, _GOLDEN_BEFORE = FIXTURES / "golden.json.gz", FIXTURES / "golden_before_2.19.json.gz"


def golden(executable: Path) -> dict[str, Any]:
    """Return nb_inventory's stored answers as this ansible-inventory makes it say them, by the name of the options."""
    answers: dict[str, Any] = json.loads(gzip.decompress(_golden_of(executable).read_bytes()))
    return answers


def _golden_of(executable: Path) -> Path:
    return _GOLDEN_BEFORE if _is_before(executable) else _GOLDEN


def _is_before(executable: Path) -> bool:
    """Return whether the program is of ansible-core before 2.19."""
    told = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"core (\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) < (2, 19)


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
    executable = Path(sys.argv[1])
    answers = {}
    for name, options in OPTIONS.items():
        with nb_server() as server, tempfile.TemporaryDirectory() as folder:
            done = listing(executable, Path(folder), server.url, THEIRS, **options)
            answers[name] = json.loads(done.stdout.replace(server.url, "http://netbox"))
    text = json.dumps(plain(answers), sort_keys=True, separators=(",", ":"))
    _golden_of(executable).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def plain(value: Any) -> Any:
    """Return a value without the mark that versions before 2.19 show for data."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
