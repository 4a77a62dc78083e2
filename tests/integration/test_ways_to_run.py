"""The same content runs from a clone, from plain ansible, as the built collection and from the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lab_fleet import ROOT, LabFleet

HOST = "fra1-colo-01"
PLUGINS = "bedplate.datacenter.netbox,ansible.builtin.yaml,ansible.builtin.ini"
SCRIPTS = Path(sys.executable).parent


def _run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def _bare(lab: LabFleet, **more: str) -> dict[str, str]:
    """The environment of someone who knows nothing of the clone."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "BEDPLATE_", "PYTHON"))
    }
    return {**kept, "PATH": f"{SCRIPTS}:{os.environ['PATH']}", "BEDPLATE_HOME": str(lab.home), **more}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    env = dict(os.environ)
    _run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT], ROOT, env)
    _run([SCRIPTS / "ansible-galaxy", "collection", "build", "--output-path", folder, ROOT], ROOT, env)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; its dependencies are those of the tests, seen through a path file."""
    folder = tmp_path_factory.mktemp("wheel") / "venv"
    env = dict(os.environ)
    _run([sys.executable, "-m", "venv", folder], built, env)
    (package,) = built.glob("*.whl")
    _run([folder / "bin" / "pip", "install", "--no-deps", "--no-index", "--quiet", package], built, env)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    for name in ("ansible-playbook", "ansible-inventory", "ansible"):
        script = folder / "bin" / name
        lines = (SCRIPTS / name).read_text(encoding="utf-8").splitlines()
        script.write_text("\n".join([f"#!{folder}/bin/python", *lines[1:]]) + "\n", encoding="utf-8")
        script.chmod(0o755)
    return folder / "bin"


@pytest.mark.parametrize("product", ["ping", "baseline"])
class TestWays:
    def test_plain_ansible_in_the_clone(self, lab: LabFleet, product: str) -> None:
        command = ["ansible-playbook", f"playbooks/{product}.yml", "-i", lab.inventory, "--limit", HOST]
        env = {name: value for name, value in lab.environment.items() if name != "ANSIBLE_COLLECTIONS_PATH"}
        said = _run(command, ROOT, {**env, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")})
        assert f"{HOST} " in said

    def test_bedplate_in_the_clone(self, lab: LabFleet, product: str) -> None:
        said = lab.bedplate("run", product, "--limit", HOST, "-o", "json").stdout
        assert json.loads(said)["status"] == "successful"

    def test_the_built_collection(self, lab: LabFleet, built: Path, tmp_path: Path, product: str) -> None:
        (archive,) = built.glob("*.tar.gz")
        empty = tmp_path / "ansible.cfg"
        empty.touch()
        env = _bare(
            lab,
            ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "collections"),
            ANSIBLE_CONFIG=str(empty),
            ANSIBLE_INVENTORY_ENABLED=PLUGINS,
            ANSIBLE_HOST_KEY_CHECKING="True",
        )
        _run(["ansible-galaxy", "collection", "install", archive, "-p", tmp_path / "collections"], tmp_path, env)
        playbook = f"bedplate.datacenter.{product}"
        said = _run(["ansible-playbook", playbook, "-i", lab.inventory, "--limit", HOST], tmp_path, env)
        assert f"{HOST} " in said

    def test_the_wheel(self, lab: LabFleet, wheel: Path, tmp_path: Path, product: str) -> None:
        env = _bare(lab, PATH=f"{wheel}:/usr/bin:/bin", BEDPLATE_INVENTORY_PATH=str(lab.inventory))
        where = _run([wheel / "python", "-c", "import bedplate; print(bedplate.__file__)"], tmp_path, env)
        assert where.startswith(str(wheel.parent))
        assert product in _run([wheel / "bedplate", "product", "list"], tmp_path, env)
        said = _run([wheel / "bedplate", "run", product, "--limit", HOST, "-o", "json"], tmp_path, env)
        assert json.loads(said)["status"] == "successful"


def test_a_second_run_changes_nothing(lab: LabFleet) -> None:
    words = ("run", "baseline", "--no-look", "--limit", HOST, "-o", "json")
    first, second = (json.loads(lab.bedplate(*words).stdout) for _ in range(2))
    (result,) = second["results"]
    assert (result["changed"], second["summary"]["ok"]) == (0, 1)
    assert result["ok"] >= first["results"][0]["ok"] > 20  # it looked, and did not skip


def test_the_collection_carries_nothing_of_the_workshop(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    names = subprocess.run(["tar", "tzf", archive], capture_output=True, text=True, check=True).stdout.splitlines()
    folders = {name.split("/")[0] for name in names}
    assert {"roles", "plugins", "playbooks", "inventories"} <= folders
    assert not folders & {"cli", "tests", ".venv", ".git", "collections", "tools"}
