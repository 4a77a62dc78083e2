"""What the metrics of packages say of kernels, with programs that stand in for those of a host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from content.role_content import ROOT

PROGRAMS = {
    "apt-get": "",
    "apt-mark": "",
    "systemd-detect-virt": "exit 1",
}


def reboot_wanted(folder: Path, running: str, installed: list[str]) -> bool:
    """Return whether the program says that a host with these kernels wants a reboot."""
    for name in ("programs", "boot", "metrics"):
        (folder / name).mkdir()
    for release in installed:
        (folder / "boot" / f"vmlinuz-{release}").touch()
    for name, text in {**PROGRAMS, "uname": f"echo {running}"}.items():
        (folder / "programs" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / "programs" / name).chmod(0o755)
    text = (ROOT / "roles/packages/templates/packages-metrics.sh.j2").read_text(encoding="utf-8")
    text = text.replace("{{ packages_textfile_directory }}", f"{folder}/metrics").replace("/boot/", f"{folder}/boot/")
    text = text.replace("/run/reboot-required", f"{folder}/absent")
    path = f"{folder}/programs:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", text], env={"PATH": path}, check=True)
    written = (folder / "metrics" / "bedplate_packages.prom").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in written if line.startswith("bedplate_reboot_required ")]
    return line.endswith(" 1")


@pytest.mark.parametrize(
    ("running", "installed", "wanted"),
    [
        ("6.1.0-18-amd64", ["6.1.0-9-amd64", "6.1.0-18-amd64"], False),
        ("6.1.0-9-amd64", ["6.1.0-9-amd64", "6.1.0-18-amd64"], True),
        # Another kind of kernel that is installed beside it never runs.
        ("6.1.0-18-amd64", ["6.1.0-18-amd64", "6.1.0-18-cloud-amd64"], False),
        ("6.12.43+deb13-cloud-amd64", ["6.12.41+deb13-amd64", "6.12.43+deb13-cloud-amd64"], False),
        ("6.12.43+deb13-amd64", ["6.12.43+deb13-amd64", "6.12.48+deb13-amd64"], True),
        ("6.5.0-0.deb12.4-amd64", ["6.1.0-18-amd64", "6.5.0-0.deb12.4-amd64"], False),
        ("6.8.0-45-generic", ["6.8.0-45-generic", "6.8.0-1012-azure", "6.8.0-47-generic"], True),
        # One that was not installed by a package cannot be compared.
        ("6.1.0-own", ["6.1.0-18-amd64"], False),
    ],
)
def test_a_newer_kernel_of_the_same_kind_wants_a_reboot(
    tmp_path: Path, running: str, installed: list[str], wanted: bool
) -> None:
    assert reboot_wanted(tmp_path, running, installed) is wanted
