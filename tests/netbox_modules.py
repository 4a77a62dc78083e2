"""The inventory plugin's own modules, imported from this checkout without an installed collection."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from plugins.plugin_utils.netbox import (  # noqa: E402 (needs the path above)
    ages,
    alike,
    changes,
    classes,
    client,
    compat_fleet,
    compat_kept,
    compat_lists,
    compat_tables,
    construct,
    contexts,
    faults,
    filters,
    gate,
    graphql,
    groups,
    kept,
    lock,
    membership,
    names,
    pace,
    pages,
    prefixes,
    private_files,
    query,
    reading,
    records,
    rows,
    settle,
    snapshot,
    snapshot_fleet,
    source,
    supply,
    trust,
    variables,
)

__all__ = [
    "ROOT",
    "a_record",
    "ages",
    "alike",
    "changes",
    "classes",
    "client",
    "compat_fleet",
    "compat_kept",
    "compat_lists",
    "compat_tables",
    "construct",
    "contexts",
    "faults",
    "filters",
    "gate",
    "graphql",
    "groups",
    "kept",
    "lock",
    "membership",
    "names",
    "pace",
    "pages",
    "prefixes",
    "private_files",
    "query",
    "reading",
    "records",
    "rows",
    "settle",
    "snapshot",
    "snapshot_fleet",
    "source",
    "supply",
    "trust",
    "variables",
]


def a_record(name: str = "web01", **values: object) -> dict[str, object]:
    """Return a whole record with these values."""
    record: dict[str, object] = {
        "type": "device", "id": 1, "name": name, "url": "https://netbox.example.com/dcim/devices/1/",
        "status": "active", "class": "colo", "region": ["emea"], "site_group": ["colo"], "site": "fra1",
        "location": None, "rack": "fra1-r01", "position": 11.0, "cluster": None, "tenant": "web", "role": "server",
        "platform": "debian-12", "manufacturer": "dell", "model": "PowerEdge R650", "serial": "S1", "asset_tag": None,
        "primary_ip4": "192.0.2.11", "primary_ip6": None, "oob_ip": "198.51.100.11", "dns_name": "web01.example.com",
        "tags": ["baseline"], "custom_fields": {}, "config_context": {}, "services": [], "interfaces": None,
        "last_updated": "2026-11-10T09:17:41.206318Z",
    }  # fmt: skip
    unknown = set(values) - set(record) - {"context_only"}
    assert not unknown, unknown
    return {**record, **values}
