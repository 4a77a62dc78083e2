"""nb_inventory's own figures beside ours, for the same hosts, groups and expressions from one NetBox, in one run.

It takes a quarter of an hour for 20,000 hosts, so it is only done when BEDPLATE_BENCH_NETBOX says from where: NetBox's
address (with the token in NETBOX_TOKEN), or `replay` for the recorded server. `tools/bootstrap-bench` installs it then.
This benchmark lists hosts; `nb_listing` lists all that is known of them, and `nb_warm` lists hosts from what was kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

from .figures import Figure, compare
from .netbox import OPTIONS, replay

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_MEMORY = 350.0
_COLD = 0.1
LIST_HOSTS = ("ansible", "all", "--list-hosts")
_THEIRS: dict[str, Any] = {
    "plugin": "netbox.netbox.nb_inventory",
    "config_context": True,
    "plurals": False,
    "timeout": 300,
    "group_by": ["site", "region", "role", "platform", "tag", "tenant", "status", "cluster", "rack"],
    "compose": {
        "ansible_user": "'root' if role == 'db' else 'admin'",
        "fqdn": "inventory_hostname ~ '.example.com'",
        "window": "custom_fields.patch_window | default('none')",
    },
    "keyed_groups": [
        {"key": "custom_fields.patch_window", "prefix": "patch"},
        {"key": "custom_fields.lifecycle", "prefix": "lifecycle"},
        {"key": "status.value", "prefix": "state"},
    ],
}
_COMPAT = {"plugin": "bedplate.datacenter.netbox", "compat": "nb_inventory"}
_OURS: dict[str, Any] = {**OPTIONS, "statuses": [], "hosts_without_address": "keep"}
OURS: dict[str, dict[str, Any]] = {"ours": _OURS, "compat": {**_THEIRS, **_COMPAT}}


class Cost(NamedTuple):
    """What one command took: seconds on the wall, seconds of CPU, the peak of its memory in MB."""

    wall: float
    cpu: float
    memory: float
    is_stopped: bool


class Place(NamedTuple):
    """Where a NetBox is read: a folder of inventory files, its address, what the environment needs."""

    folder: Path
    url: str
    more: Mapping[str, str]

    def theirs(self) -> Path:
        """Return an inventory file of nb_inventory."""
        return self._file("nb.yml", _THEIRS)

    def ours(self, name: str) -> Path:
        """Return one of ours."""
        return self._file(f"{name}.netbox.yml", {**OURS[name], "snapshot_path": str(self.folder / f"{name}.json")})

    def _file(self, name: str, options: Mapping[str, Any]) -> Path:
        file = self.folder / name
        file.write_text(json.dumps({**options, "api_endpoint": self.url}), encoding="utf-8")
        return file


def measure() -> list[Figure]:
    """Return the figures of listing hosts, none if nobody asked for them."""
    return beside(lambda place: cold(place, LIST_HOSTS, _COLD))


def beside(measured: Callable[[Place], list[Figure]]) -> list[Figure]:
    """Return what was measured at the NetBox that BEDPLATE_BENCH_NETBOX names; nothing if it names none."""
    url = os.environ.get("BEDPLATE_BENCH_NETBOX")
    if not url:
        return []
    with tempfile.TemporaryDirectory() as folder:
        if url == "replay":
            with replay() as local:
                return measured(Place(Path(folder), local, {"NETBOX_TOKEN": "0" * 40}))
        return measured(Place(Path(folder), url, {}))


def cold(place: Place, words: tuple[str, ...], limit: float) -> list[Figure]:
    """Return what a command takes with nothing kept."""
    theirs = cost(words, place.theirs(), place.more)
    figures = []
    for name in OURS:
        anew = {"BEDPLATE_INVENTORY_CACHE_TTL": "0", "BEDPLATE_INVENTORY_FULL": "1", **place.more}
        ours, limited = cost(words, place.ours(name), anew), limit if name == "ours" else None
        figures += rows(f"cold, whole, {' '.join(words)}: {name}", ours, theirs, limited)
        if words == LIST_HOSTS:
            what = f"cold, {name}: memory of the process / limit"
            figures.append(compare(what, [ours.memory], [_MEMORY], limit=1.0, unit="MB"))
    return figures


def rows(what: str, ours: Cost, theirs: Cost, limit: float | None) -> list[Figure]:
    """Return ours against theirs; the limit is one of the seconds on the wall."""
    note = "nb_inventory was stopped then; it takes about ten minutes" if theirs.is_stopped else ""
    what += " / nb_inventory"
    return [
        compare(what, [ours.wall], [theirs.wall], limit=limit, note=note),
        compare(f"{what}, CPU", [ours.cpu], [theirs.cpu], limit=None),
        compare(f"{what}, memory", [ours.memory], [theirs.memory], limit=None, unit="MB"),
    ]


def cost(words: tuple[str, ...], inventory: Path, more: Mapping[str, str], patience: float | None = None) -> Cost:
    """Return what a command takes, or took until it was stopped after so many seconds."""
    collections = os.pathsep.join([str(_ROOT / "collections"), sysconfig.get_path("purelib")])
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "HOME": str(inventory.parent),
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_INVENTORY_ENABLED": f"{_OURS['plugin']},{_THEIRS['plugin']}",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_CONFIG": str(Path(__file__).with_name("plain.cfg")),
        **more,
    }
    command = [str(Path(sys.executable).with_name(words[0])), *words[1:], "-i", str(inventory)]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        alarm = Timer(patience or 3600, process.kill)
        alarm.start()
        told = process.stderr.read() if process.stderr else b""
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        is_stopped = not alarm.is_alive()
        alarm.cancel()
    if process.returncode and not (patience and is_stopped):
        raise RuntimeError(told.decode())
    wall = time.perf_counter() - begun
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / _MEGABYTE, is_stopped)
