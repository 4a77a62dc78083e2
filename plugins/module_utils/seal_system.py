# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The state of what is no file: units and kernel settings; and how programs and files are asked."""

from __future__ import annotations

import fnmatch
import glob
import gzip
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable

from .seal_bus import BusError, properties
from .seal_files import FileReader

_OVERRIDING = re.compile(r"[^.].*\.conf")
_UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,DropInPaths,Type,RemainAfterExit,TriggeredBy"
)


def read(path: str) -> str:
    """Return a text file; empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        text = b"".join(iter(lambda: os.read(descriptor, 1 << 16), b"")).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return text.replace("\r\n", "\n") if "\r" in text else text


def digest(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def output(arguments: list[str]) -> str | None:
    """Return what a program says; None if it cannot be asked."""
    program = shutil.which(arguments[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *arguments[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            check=False, timeout=20, env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def gunzipped(path: str) -> str:
    """Return the beginning of a compressed text file; empty where it cannot be read."""
    try:
        with gzip.open(path, "rb") as file:
            return file.read(4 << 20).decode("utf-8", "replace")
    except (OSError, EOFError):
        return ""


def units(names: list[str], files: FileReader) -> dict[str, dict[str, str]]:
    """Return the state of units, asked for at once. systemd is not asked where it does not run."""
    if not names or not os.path.isdir("/run/systemd/system"):
        return {}
    try:
        found = properties(names)
    except BusError:
        found = _properties_by_systemctl(names)
    if len(found) != len(names):
        return {}
    return {name: _unit(told, files) for name, told in zip(names, found)}  # noqa: B905 (Python 3.9 has no strict)


def _properties_by_systemctl(names: list[str]) -> list[dict[str, str]]:
    told = output(["systemctl", "show", "--no-pager", "-p", _UNIT_PROPERTIES, "--", *names])
    blocks = (told or "").strip("\n").split("\n\n")
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]


def _unit(told: dict[str, str], files: FileReader) -> dict[str, str]:
    if told.get("LoadState") == "not-found":
        return {"presence": "absent"}
    file_state = told.get("UnitFileState") or "static"
    found = {"presence": "present", "enabled": file_state.replace("masked-runtime", "masked")}
    passing = told.get("Type") == "oneshot" and told.get("RemainAfterExit") == "no"
    triggered = bool(told.get("TriggeredBy")) and not file_state.startswith("enabled")
    if not passing and not triggered:
        found["state"] = _activity(told)
    paths = [told.get("FragmentPath", ""), *told.get("DropInPaths", "").split()]
    paths = [path for path in paths if path.startswith(("/etc/", "/run/", "/usr/local/"))]
    found["configuration"] = " ".join(
        "{0}={1}".format(path, files.state(path).get("content", "?")[:16]) for path in paths
    )
    return found


def brought_files(names: Iterable[str], folder: str = "/usr/lib/systemd/system") -> list[str]:
    """Return what is, of units, where packages have theirs: the units themselves, and files that override them."""
    there = frozenset(_names_in(folder))
    found = set()
    for name in names:
        for each in (name, re.sub(r"@[^.]*\.", "@.", name)):
            found.update([each] if each in there else ())
            for overriding in (each + ".d", name.rpartition(".")[2] + ".d"):
                files = _names_in(os.path.join(folder, overriding)) if overriding in there else ()
                found.update(os.path.join(overriding, file) for file in files if _OVERRIDING.fullmatch(file))
    return sorted(os.path.join(folder, name) for name in found)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _activity(told: dict[str, str]) -> str:
    """Return `active` also for what is only on its way there, as after a boot."""
    state = told.get("ActiveState", "")
    if state in ("activating", "reloading", "refreshing") and told.get("SubState") != "auto-restart":
        return "active"
    return "inactive" if state == "deactivating" else state


def is_container() -> bool:
    """Return whether the kernel is somebody else's."""
    return (
        os.path.exists("/run/systemd/container")
        or os.path.exists("/run/.containerenv")
        or os.path.exists("/.dockerenv")
    )


class Sysctls:
    """Kernel settings, as they are and as files have them for the next boot.

    Attributes:
        origins: the files that have a setting, by its name.
    """

    def __init__(self) -> None:
        self.origins: dict[str, list[str]] = {}
        self._configured: dict[str, str] = {}
        files: dict[str, str] = {}
        for folder in ("/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d"):
            files.update({os.path.basename(path): path for path in glob.glob(folder + "/*.conf")})
        for _, path in [*sorted(files.items()), ("", "/etc/sysctl.conf")]:
            for line in read(path).splitlines():
                name, between, value = line.strip().lstrip("-").partition("=")
                if between and name[:1] not in ("#", ";"):
                    self._configured.pop(_dotted(name), None)
                    self._configured[_dotted(name)] = " ".join(value.split())
                    self.origins.setdefault(_dotted(name), []).append(path)

    def state(self, name: str) -> dict[str, str]:
        plain = name if "/" in name.partition(".")[0] else name.translate({46: 47, 47: 46})
        live = read("/proc/sys/" + plain)
        found = {"configured": self._for_boot(_dotted(name))}
        if live:
            found["value"] = " ".join(live.split())
        return found

    def _for_boot(self, name: str) -> str:
        if name in self._configured:
            return self._configured[name]
        matching = [
            value for pattern, value in self._configured.items() if "*" in pattern and fnmatch.fnmatch(name, pattern)
        ]
        return matching[-1] if matching else ""


def _dotted(name: str) -> str:
    name = name.strip()
    return name.translate({46: 47, 47: 46}) if "/" in name.partition(".")[0] else name
