"""The content by the oldest ansible-core, from a checkout without the package and without pynetbox, on real hosts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from integration.checkout import check_out
from integration.oldest_ansible import oldest_ansible
from lab_fleet import LabFleet

HOST = "fra1-colo-01"


@pytest.fixture(scope="module")
def programs() -> Path:
    return oldest_ansible()


@pytest.fixture(scope="module")
def checkout(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 (skips without them)
    return check_out(tmp_path_factory.mktemp("oldest") / "project")


def _recap(lab: LabFleet, programs: Path, checkout: Path, *words: str) -> dict[str, int]:
    """Run a product's playbook on one host, and return what the recap counts."""
    env = {
        "PATH": f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(checkout.parent),
        "BEDPLATE_HOME": str(lab.home),
        "ANSIBLE_COLLECTIONS_PATH": "/runner/requirements_collections:collections",
        **{name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ},
    }
    command = [str(programs / "ansible-playbook"), "-i", str(lab.inventory), "-l", HOST, *words]
    done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, timeout=300, check=False)
    recap = re.search(rf"(?m)^{HOST} +: (.*)$", done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert recap is not None, done.stdout[-6000:] + done.stderr
    return {name: int(count) for name, _, count in (word.partition("=") for word in recap[1].split())}


def test_that_it_is_the_oldest_and_alone(programs: Path) -> None:
    said = subprocess.run(
        [str(programs / "python"), "-c", "from importlib.metadata import *; print([d.name for d in distributions()])"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "ansible-core" in said
    assert not [name for name in ("bedplate", "pynetbox", "ansible-runner", "httpx") if f"'{name}'" in said]
    version = subprocess.run([str(programs / "ansible"), "--version"], capture_output=True, text=True, check=True)
    assert "[core 2.15." in version.stdout


def test_it_reads_every_playbook(programs: Path, checkout: Path) -> None:
    playbooks = sorted(str(file.relative_to(checkout)) for file in (checkout / "playbooks").glob("*.yml"))
    done = subprocess.run(
        [str(programs / "ansible-playbook"), "--syntax-check", "-i", "inventories/lab", *playbooks],
        cwd=checkout, env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(checkout.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("playbook: ")] == [
        f"playbook: {name}" for name in playbooks
    ]


@pytest.mark.slow
def test_an_untouched_host_comes_to_the_baseline(lab: LabFleet, programs: Path, checkout: Path) -> None:
    lab.recreate(HOST)
    first = _recap(lab, programs, checkout, "playbooks/baseline.yml")
    assert (first["changed"] > 20, first["failed"]) == (True, 0)
    again = _recap(lab, programs, checkout, "playbooks/baseline.yml")
    assert (again["changed"], again["failed"]) == (0, 0)


@pytest.mark.parametrize(
    "words",
    [("playbooks/onboard.yml", "-e", "onboard_activate=false"), ("playbooks/patch.yml", "--check")],
    ids=["onboard", "patch"],
)
def test_a_host_at_the_baseline_is_right_and_stays_as_it_is(
    baselined: LabFleet, programs: Path, checkout: Path, words: tuple[str, ...]
) -> None:
    """The product onboard compares with NetBox, applies the baseline, and verifies the host."""
    recap = _recap(baselined, programs, checkout, *words)
    assert (recap["changed"], recap["failed"], recap["unreachable"]) == (0, 0, 0)
    assert recap["ok"] > (50 if "onboard" in words[0] else 1)
