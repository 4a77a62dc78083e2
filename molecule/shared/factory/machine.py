"""Programs of this machine, run as root where that is needed: directly, or through `sudo -n`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from factory.errors import FactoryError

PACKAGES = {
    "podman": "podman",
    "runc": "runc",
    "crun": "crun",
    "debootstrap": "debootstrap",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "ip": "iproute2",
    "sysctl": "procps",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mkfs.ext4": "e2fsprogs",
}
_ALL_PACKAGES = "podman runc netavark debootstrap debian-archive-keyring openssh-client"
_METAL_PACKAGES = "qemu-system-x86 qemu-utils e2fsprogs"

WATCH_INSTANCES = 1024


def find_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        FactoryError: it is not installed; the hint names the Debian packages.
    """
    path = find_optional(name)
    if path is None:
        package = PACKAGES.get(name, name)
        packages = _METAL_PACKAGES if package in _METAL_PACKAGES else _ALL_PACKAGES
        raise FactoryError(
            f"{name} is not installed",
            hint=f"the lab needs the Debian package {package}: apt-get install {packages}",
        )
    return path


def find_optional(name: str) -> str | None:
    """Return the path of a program, or None. The sbin folders count even where PATH leaves them out."""
    folders = os.environ.get("PATH", "")
    return shutil.which(name, path=f"{folders}:/usr/sbin:/sbin" if folders else "")


def as_root(command: Sequence[str]) -> list[str]:
    """Return the command so that it runs as root.

    Raises:
        FactoryError: this is not root, and sudo would ask for a password or is not there.
    """
    if os.geteuid() == 0:
        return list(command)
    sudo = find_optional("sudo")
    if sudo is None or subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode != 0:
        raise FactoryError(
            "the lab runs containers as root, and sudo asks for a password here",
            hint="run `sudo -v` first, or allow sudo without a password, or work as root",
        )
    return [sudo, "-n", "--", *command]


def run(command: Sequence[str], *, text_in: str | None = None, where: str | None = None) -> str:
    """Run a command and return what it printed.

    Raises:
        FactoryError: it failed; the message is the last line that it printed as an error.
    """
    finished = subprocess.run(list(command), input=text_in, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise FactoryError(last_line(finished.stderr) or f"exit code {finished.returncode}", where=where)
    return finished.stdout


def last_line(text: str) -> str:
    """Return the last line of a program's output that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def raise_watch_limit() -> bool:
    """Let root have enough inotify instances for many hosts, until the next start of this machine.

    Each systemd takes five, all as root: the kernel's default of 128 ends at about twenty hosts, and a systemd that
    gets none ends without a word. Returns whether the limit had to be raised.

    Raises:
        FactoryError: the kernel refused.
    """
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text(encoding="ascii")) >= WATCH_INSTANCES:
        return False
    run(as_root([find_program("sysctl"), "-q", "-w", f"fs.inotify.max_user_instances={WATCH_INSTANCES}"]))
    return True


def has_unified_cgroups() -> bool:
    """Whether this machine has cgroups v2 alone: crun refuses the hybrid layout."""
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def container_runtime() -> str:
    """Return the container runtime that works here: crun or runc.

    Raises:
        FactoryError: none that works is installed.
    """
    if has_unified_cgroups() and find_optional("crun"):
        return "crun"
    find_program("runc")
    return "runc"
