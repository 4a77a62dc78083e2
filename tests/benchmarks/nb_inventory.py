"""nb_inventory's own figures beside ours, for the same hosts, groups and expressions from one NetBox, in one run.

It takes half an hour for 20,000 hosts, so it is only done when BEDPLATE_BENCH_NETBOX says from where: NetBox's address
(with the token in NETBOX_TOKEN), or `replay` for the recorded server. `tools/bootstrap-bench` installs it then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .figures import Figure, compare
from .netbox import replay

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_MEMORY = 350.0
_LIMITS = (0.1, 0.2, 0.02)  # cold list of hosts, cold listing, warm list of hosts
_LIST_HOSTS, _LIST = ("ansible", "all", "--list-hosts"), ("ansible-inventory", "--list")
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
_OURS: dict[str, Any] = {
    "plugin": "bedplate.datacenter.netbox",
    "services": False,
    "statuses": [],
    "hosts_without_address": "keep",
    "compose": {
        "ansible_user": "'root' if bedplate_role == 'db' else 'admin'",
        "fqdn": "inventory_hostname ~ '.example.com'",
        "window": "bedplate_custom_fields.patch_window | default('none')",
    },
    "keyed_groups": [
        {"key": "bedplate_custom_fields.patch_window", "prefix": "patch"},
        {"key": "bedplate_custom_fields.lifecycle", "prefix": "lifecycle"},
        {"key": "bedplate_status", "prefix": "state"},
    ],
}


class Cost(NamedTuple):
    """What one command took: seconds on the wall, seconds of CPU, the peak of its memory in MB."""

    wall: float
    cpu: float
    memory: float


def measure() -> list[Figure]:
    """Return the figures, none if nobody asked for them."""
    url = os.environ.get("BEDPLATE_BENCH_NETBOX")
    if not url:
        return []
    with tempfile.TemporaryDirectory() as folder:
        if url == "replay":
            with replay() as local:
                return _beside(Path(folder), local, {"NETBOX_TOKEN": "0" * 40})
        return _beside(Path(folder), url, {})


def _beside(folder: Path, url: str, more: Mapping[str, str]) -> list[Figure]:
    theirs = _file(folder / "nb.yml", {**_THEIRS, "api_endpoint": url})
    cached = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache")}
    cached |= {"ANSIBLE_INVENTORY_CACHE": "true", "ANSIBLE_INVENTORY_CACHE_TIMEOUT": "86400", **more}
    cold = {words: _cost(words, theirs, more) for words in (_LIST_HOSTS, _LIST)}
    _cost(_LIST_HOSTS, theirs, cached)  # fills the cache
    warm = _cost(_LIST_HOSTS, theirs, cached)
    figures = []
    no_limits = (None, None, None)
    for name, options, limits in (("ours", _OURS, _LIMITS), ("compat", {**_THEIRS, **_COMPAT}, no_limits)):
        kept = {"api_endpoint": url, "snapshot_path": str(folder / f"{name}.json")}
        ours = _file(folder / f"{name}.netbox.yml", {**options, **kept})
        for words, limit in zip((_LIST_HOSTS, _LIST), limits[:2], strict=True):
            anew = {"BEDPLATE_INVENTORY_CACHE_TTL": "0", "BEDPLATE_INVENTORY_FULL": "1", **more}
            what = f"cold, whole, {' '.join(words)}: {name} / nb_inventory"
            cost = _cost(words, ours, anew)
            figures += _figures(what, cost, cold[words], limit)
            if words == _LIST_HOSTS:
                figures.append(
                    compare(
                        f"cold, {name}: memory of the process / limit", [cost.memory], [_MEMORY], limit=1.0, unit="MB"
                    )
                )
        cost = _cost(_LIST_HOSTS, ours, {"BEDPLATE_INVENTORY_CACHE_TTL": "86400"})
        figures += _figures(
            f"warm, {' '.join(_LIST_HOSTS)}: {name} / nb_inventory", cost, warm, 0.02 if name == "ours" else None
        )
    return figures


def _figures(name: str, ours: Cost, theirs: Cost, limit: float | None) -> list[Figure]:
    return [
        compare(name, [ours.wall], [theirs.wall], limit=limit),
        compare(f"{name}, CPU", [ours.cpu], [theirs.cpu], limit=None),
        compare(f"{name}, memory", [ours.memory], [theirs.memory], limit=None, unit="MB"),
    ]


def _file(file: Path, options: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(options), encoding="utf-8")
    return file


def _cost(words: tuple[str, ...], inventory: Path, more: Mapping[str, str]) -> Cost:
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
        told = process.stderr.read() if process.stderr else b""
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(told.decode())
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / _MEGABYTE)
