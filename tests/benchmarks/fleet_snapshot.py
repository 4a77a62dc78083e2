"""A synthetic fleet of any size, as a snapshot: half devices, half virtual machines, always the same for one size.

Alone: `python tests/benchmarks/fleet_snapshot.py 20000 FOLDER` writes an inventory folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_SITES = {
    "fra1": ("emea", "colo"), "ams1": ("emea", "bare-metal"), "lon1": ("emea", "colo"), "par1": ("emea", "cloud"),
    "ash1": ("amer", "cloud"), "sjc1": ("amer", "colo"), "dfw1": ("amer", "bare-metal"), "ord1": ("amer", "colo"),
    "sin1": ("apac", "cloud"), "syd1": ("apac", "colo"), "tyo1": ("apac", "bare-metal"), "bom1": ("apac", "colo"),
}  # fmt: skip
_CLASSES = {"colo": "colo", "bare-metal": "bare_metal", "cloud": "cloud"}
_ROLES = ("web", "db", "app", "k8s-node", "cache", "queue", "storage", "build")
_TENANTS = ("platform", "payments", "analytics", "customer-x", None)
_TAGS = (["observability"], ["drift-nightly", "observability"], [], ["canary", "observability", "pci"])
_RACKS_PER_SITE = 20
_INVENTORY = "plugin: bedplate.datacenter.netbox\nsnapshot: .snapshot.json\n"


def fleet_document(count: int) -> dict[str, Any]:
    """Return a snapshot document of `count` hosts."""
    records = [_record(number) for number in range(count)]
    return {
        "schema": 1,
        "taken_at": "2026-11-20T06:00:00Z",
        "source": "https://netbox.example.com",
        "netbox_version": "4.6.8",
        "cursor": None,
        "hosts": {record["name"]: record for record in sorted(records, key=lambda record: str(record["name"]))},
    }


def write_fleet(folder: Path, count: int) -> Path:
    """Write an inventory folder with a fleet of `count` hosts, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".snapshot.json").write_text(json.dumps(fleet_document(count)), encoding="utf-8")
    (folder / "netbox.yml").write_text(_INVENTORY, encoding="utf-8")
    return folder


def write_script(listing: dict[str, Any], file: Path) -> Path:
    """Write an executable that prints what `ansible-inventory --list` said, and return it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    answer = file.with_suffix(".answer")
    answer.write_text(json.dumps(listing), encoding="utf-8")
    file.write_text(f"#!/bin/sh\nexec cat '{answer.absolute()}'\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def _record(number: int) -> dict[str, Any]:
    device = number % 2 == 0
    sites = list(_SITES)
    site = sites[number // 2 % len(sites)]
    region, group = _SITES[site]
    rack = f"{site}-r{number // 24 % _RACKS_PER_SITE + 1:02d}"
    name = f"{'srv' if device else 'vm'}-{site}-{number:05d}"
    path = "dcim/devices" if device else "virtualization/virtual-machines"
    tenant = _TENANTS[number % 7 % len(_TENANTS)]
    return {
        "type": "device" if device else "virtual_machine",
        "id": number // 2 + 1,
        "name": name,
        "url": f"https://netbox.example.com/{path}/{number // 2 + 1}/",
        "status": "staged" if number % 50 == 0 else "active",
        "class": _CLASSES[group] if device else "cloud",
        "region": [region],
        "site_group": [group],
        "site": site,
        "location": f"{site}-hall-{number // 24 % 2 + 1}" if device else None,
        "rack": rack if device else None,
        "position": float(number // 480 % 40 + 1) if device else None,
        "cluster": None if device else f"{site}-c1",
        "tenant": tenant,
        "role": _ROLES[number % len(_ROLES)],
        "platform": f"debian-{12 + number % 3 // 2}",
        "manufacturer": "dell" if device else None,
        "model": "PowerEdge R650" if device else None,
        "serial": f"SN{number:08d}" if device else None,
        "asset_tag": f"BP-{number:06d}" if device else None,
        "primary_ip4": f"10.{16 + number // 65000}.{number // 250 % 250}.{number % 250 + 1}",
        "primary_ip6": None,
        "oob_ip": f"172.16.{number // 250 % 250}.{number % 250 + 1}" if device else None,
        "dns_name": f"{name}.example.com",
        "tags": _TAGS[number % len(_TAGS)],
        "custom_fields": {
            "backup": number % 3 == 0,
            "cost_center": f"cc-{number % 40:03d}",
            "lifecycle": ("build", "run", "eol")[number % 3],
            "patch_window": f"sun-{number % 8:02d}",
        },
        "config_context": {
            "dns": {"search": ["example.com"], "servers": ["10.0.0.53", "10.0.1.53"]},
            "time_sync_servers_default": [f"ntp1.{region}.example.com", f"ntp2.{region}.example.com"],
            "sshd": {"port": 22, "permit_root": False},
            "repos": {"mirror": f"mirror-{region}.example.com", "channels": ["main", "security"]},
            "timezone": "Etc/UTC",
        },
        "services": [
            {"name": "ssh", "protocol": "tcp", "ports": [22]},
            {"name": "node-exporter", "protocol": "tcp", "ports": [9100]},
        ],
        "interfaces": None,
        "last_updated": "2026-11-19T11:13:55.017888Z",
    }


if __name__ == "__main__":
    print(write_fleet(Path(sys.argv[2]), int(sys.argv[1])))
