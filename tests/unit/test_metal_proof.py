"""CI runs the emulated machine's tests when something that they cover was changed, and only then."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lab_fleet import ROOT

PROOF = Path("tools", "metal-proof")
OURS = "ansible_collections.bedplate.datacenter.plugins"
FILES = {
    "roles/firewall/tasks/main.yml": "bedplate.datacenter.host_files:\n{{ [] | bedplate.datacenter.firewall_lines }}\n",
    "roles/firewall/README.md": "before\n",
    "roles/access/tasks/main.yml": "bedplate.datacenter.access_grant:\n",
    "plugins/modules/host_files.py": f"from {OURS}.module_utils.root_owned import replace\n",
    "plugins/module_utils/root_owned.py": "from .bytes import read\n",
    "plugins/module_utils/bytes.py": "before\n",
    "plugins/filter/firewall.py": '{"firewall_lines": lines}\n',
    "plugins/filter/access.py": '{"access_id": parse_id}\n',
    "plugins/modules/access_grant.py": "before\n",
}


class Clone:
    """A repository with some of the files that the tests cover, and some that they do not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path, text in FILES.items():
            self.write(path, text)
        (folder / "molecule" / "metal").mkdir(parents=True)
        (folder / "tools").mkdir()
        shutil.copy(ROOT / PROOF, folder / PROOF)
        for command in (["init", "--quiet"], ["add", "--all"]):
            subprocess.run(["git", *command], cwd=folder, check=True)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def proof(self, verb: str) -> int:
        return subprocess.run([self.folder / PROOF, verb], check=False, capture_output=True).returncode


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_without_a_proof_there_is_something_to_prove(clone: Clone) -> None:
    assert clone.proof("check") == 1
    assert clone.proof("write") == 0
    assert clone.proof("check") == 0


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("roles/firewall/tasks/main.yml", 1),
        ("roles/firewall/README.md", 0),
        ("roles/access/tasks/main.yml", 0),
        ("plugins/modules/host_files.py", 1),
        ("plugins/module_utils/root_owned.py", 1),
        ("plugins/module_utils/bytes.py", 1),
        ("plugins/filter/firewall.py", 1),
        ("plugins/filter/access.py", 0),
        ("plugins/modules/access_grant.py", 0),
    ],
)
def test_only_what_is_covered_counts(clone: Clone, path: str, code: int) -> None:
    clone.proof("write")
    clone.write(path, FILES[path] + "# changed\n")
    assert clone.proof("check") == code
    clone.write(path, FILES[path])
    assert clone.proof("check") == 0


def test_it_covers_all_roles_of_the_scenario() -> None:
    proof = yaml.safe_load((ROOT / "molecule/metal/vars/proof.yml").read_text(encoding="utf-8"))
    (line,) = [line for line in (ROOT / PROOF).read_text(encoding="utf-8").splitlines() if "for role in" in line]
    covered = set(line.partition(" in ")[2].partition(";")[0].split())
    assert {*proof["roles_here"], "certificates"} <= covered
    assert set(proof["roles_to_prove"]) <= set(proof["roles_here"])
