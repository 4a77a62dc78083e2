"""20,000 hosts read live, from a NetBox that takes as long as a real one: our own share, requests, memory, disk."""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .figures import Figure, compare

HOSTS = 20_000
_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
OPTIONS = {
    "plugin": "bedplate.datacenter.netbox",
    "services": False,
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
# Seconds more than from a snapshot, requests: at most.
_COLD, _NOTHING, _TEN = (3.0, None), (0.5, 8), (0.7, 20)


class Listed(NamedTuple):
    """One `ansible all --list-hosts`: seconds, of CPU, and of NetBox; its requests; the process's memory in MB."""

    wall: float
    cpu: float
    netbox: float
    requests: int
    memory: float


def measure() -> list[Figure]:
    """Return the figures of a cold read, of refreshes, and of what they need."""
    with tempfile.TemporaryDirectory() as folder, replay() as url:
        kept = Path(folder) / "kept.json"
        inventory = Path(folder) / "netbox.yml"
        options = {**OPTIONS, "retries": 0, "api_endpoint": url, "snapshot_path": str(kept)}
        inventory.write_text(json.dumps(options), encoding="utf-8")
        _account(url)
        cold = _list(inventory, url, ttl="0")
        snapshot = [_list(inventory, url, ttl="100000") for _ in range(3)]
        nothing = [_list(inventory, url, ttl="0") for _ in range(3)]
        ten = [_list(inventory, url, ttl="0", touch=10) for _ in range(3)]
        again = _list(inventory, url, ttl="0", full="1")
        disk = sum(file.stat().st_size for file in (kept, kept.with_name("kept.json.tables"))) / _MEGABYTE
    warm = sorted(snapshot, key=lambda listed: listed.cpu)[1]
    figures = [
        *_share("cold from NetBox", [cold], warm, *_COLD),
        *_share("refresh, nothing changed", nothing, warm, *_NOTHING),
        *_share("refresh, 10 objects changed", ten, warm, *_TEN),
    ]
    memory = max(listed.memory for listed in (cold, again, *nothing, *ten))
    figures.append(compare("live inventory, memory of the process", [memory], [350.0], limit=1.0, unit="MB"))
    figures.append(compare("snapshot and its tables on disk", [disk], [15.0], limit=1.0, unit="MB"))
    note = "reference: nb_inventory on the recorded server; ours includes this machine's own load"
    figures.append(compare("cold, whole, list-hosts / 121 s", [cold.wall], [121.0], limit=0.1, note=note))
    return figures


def _share(name: str, listed: list[Listed], warm: Listed, limit: float, requests: int | None) -> list[Figure]:
    own = [max(0.0, one.cpu - warm.cpu) for one in listed]
    waited = statistics.median(one.wall - one.netbox - warm.wall for one in listed)
    note = (
        f"CPU more than from the snapshot ({warm.cpu:.2f} s); on the wall {waited:.2f} s more than that and"
        f" NetBox's {listed[0].netbox:.2f} s"
    )
    figures = [compare(f"{name}: own share / limit", own, [limit] * len(own), limit=1.0, note=note)]
    if requests is not None:
        asked = [float(one.requests) for one in listed]
        figures.append(compare(f"{name}: requests / limit", asked, [float(requests)] * len(own), limit=1.0, unit=""))
    return figures


def _list(inventory: Path, url: str, *, ttl: str, touch: int = 0, full: str = "0") -> Listed:
    _account(url, touch)
    config = inventory.with_name("ansible.cfg")
    config.touch()
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
        "ANSIBLE_INVENTORY_ENABLED": "bedplate.datacenter.netbox",
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "BEDPLATE_INVENTORY_CACHE_TTL": ttl,
        "BEDPLATE_INVENTORY_FULL": full,
        "NETBOX_TOKEN": "0" * 40,
    }
    command = [str(Path(sys.executable).parent / "ansible"), "all", "--list-hosts", "-i", str(inventory)]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if process.returncode:
            raise RuntimeError(process.stderr.read().decode() if process.stderr else "ansible failed")
    account = _account(url)
    return Listed(wall, used.ru_utime + used.ru_stime, account["busy"], account["requests"], _megabytes(used))


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss * 1024 / _MEGABYTE


def _account(url: str, touch: int = 0) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/bench/?touch={touch}", timeout=30) as answer:  # noqa: S310 (our own server)
        account: dict[str, Any] = json.load(answer)
    return account


@contextmanager
def replay() -> Iterator[str]:
    """Run the recorded server while the context lasts, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = Path(__file__).with_name("netbox_replay.py")
    with subprocess.Popen([sys.executable, str(server), str(HOSTS), str(port)]) as process:
        try:
            _wait(url)
            yield url
        finally:
            process.kill()


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            _account(url)
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the replay server did not start")
