"""What the inventory commands show: as documents with a schema, and as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bedplate.fleet import Fault, FaultLevel, HostRecord, Snapshot, SnapshotDiff

if TYPE_CHECKING:
    from rich.console import Console

LIST_KEYS = ("class", "region", "site", "rack", "cluster", "role", "platform", "tenant", "status")
_SHOWN_AT_MOST = 40


def host_summary(name: str, record: HostRecord | None) -> dict[str, Any]:
    """Return a host as `inventory list` shows it; all but the name is null for a host that is not from NetBox."""
    if record is None:
        return {"name": name, **dict.fromkeys(LIST_KEYS), "address": None}
    region = "/".join(record.region) or None
    values = {key: getattr(record, "host_class" if key == "class" else key) for key in LIST_KEYS}
    return {"name": name, **values, "region": region, "address": next(iter(record.addresses), None)}


def list_document(inventory: Path, names: Iterable[str], records: Mapping[str, HostRecord]) -> dict[str, Any]:
    return {
        "schema": 1,
        "inventory": str(inventory),
        "hosts": [host_summary(name, records.get(name)) for name in names],
    }


def list_table(console: Console, hosts: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("HOST", "CLASS", "SITE", "PLACE", "ROLE", "PLATFORM", "ADDRESS"):
        table.add_column(title, no_wrap=title in {"HOST", "ADDRESS"}, overflow="fold")
    for host in hosts:
        place = host["rack"] or host["cluster"]
        keys = (host["name"], host["class"], host["site"], place, host["role"], host["platform"])
        table.add_row(*(str(value or "-") for value in (*keys, host["address"])))
    console.print(table)
    sites = {host["site"] for host in hosts if host["site"]}
    console.print(f"{_count(len(hosts), 'host')} in {_count(len(sites), 'site')}", style="dim")


def host_table(console: Console, document: Mapping[str, Any]) -> None:
    import yaml

    def show(title: str, value: Any) -> None:  # noqa: ANN401
        console.print(title, style="bold")
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
        console.print(text.rstrip().replace("\n", "\n  ").join(("  ", "")), soft_wrap=True, markup=False)

    if document["record"]:
        show("NetBox", {key: value for key, value in document["record"].items() if value not in (None, [], {}, "")})
    show("Groups", document["groups"])
    show("Variables", document["variables"])


def snapshot_document(snapshot: Snapshot, file: Path, inventory: Path, *, live: bool, now: datetime) -> dict[str, Any]:
    return {
        "schema": 1,
        "inventory": str(inventory),
        "file": str(file),
        "live": live,
        "source": snapshot.source,
        "netbox_version": snapshot.netbox_version,
        "taken_at": snapshot.taken_at,
        "age": round(snapshot.age(now).total_seconds()),
        "hosts": len(snapshot.hosts),
        "classes": snapshot.count_by("host_class"),
        "sites": snapshot.count_by("site"),
    }


def snapshot_table(console: Console, document: Mapping[str, Any]) -> None:
    rows = {
        "file": document["file"],
        "source": document["source"],
        "taken": f"{document['taken_at']:%Y-%m-%d %H:%M:%S} UTC, {age_text(timedelta(seconds=document['age']))} ago",
        "hosts": str(document["hosts"]),
        "classes": _counts(document["classes"]),
        "sites": _counts(document["sites"]),
    }
    for key, value in rows.items():
        console.print(f"{key:<8} {value}", soft_wrap=True, markup=False)


def diff_document(diff: SnapshotDiff) -> dict[str, Any]:
    """Return the difference as the schema `inventory-diff` describes it."""
    return {
        "schema": 1,
        "before": _moment_document(diff.before),
        "after": _moment_document(diff.after),
        "added": list(diff.added),
        "removed": list(diff.removed),
        "changed": [
            {
                "host": change.host,
                "moved": bool(change.moved),
                "attributes": [
                    {"attribute": one.attribute, "before": one.before, "after": one.after} for one in change.attributes
                ],
            }
            for change in diff.changed
        ],
        "lost_percent": round(diff.lost_percent, 2),
    }


def diff_text(console: Console, diff: SnapshotDiff) -> None:
    for title, names in (("added", diff.added), ("removed", diff.removed)):
        if names:
            console.print(f"{_count(len(names), 'host')} {title}: {_some(names)}", soft_wrap=True, markup=False)
    for change in diff.changed[:_SHOWN_AT_MOST]:
        console.print(f"{change.host}{' (moved)' if change.moved else ''}", markup=False)
        for one in change.attributes:
            line = f"  {one.attribute}: {_value(one.before)} -> {_value(one.after)}"
            console.print(line, soft_wrap=True, markup=False)
    if len(diff.changed) > _SHOWN_AT_MOST:
        console.print(f"and {len(diff.changed) - _SHOWN_AT_MOST} more changed; -o json shows all")
    after = f"{_count(len(diff.after.hosts), 'host')} now"
    if not diff:
        console.print(f"nothing changed, {after}", style="dim")
        return
    moved = f" ({len(diff.moved)} moved)" if diff.moved else ""
    told = f"{len(diff.added)} added, {len(diff.removed)} removed, {len(diff.changed)} changed{moved}, {after}"
    console.print(told, style="dim")


def check_document(inventory: Path, snapshot_file: Path, hosts: int, faults: Sequence[Fault]) -> dict[str, Any]:
    return {
        "schema": 1,
        "inventory": str(inventory),
        "snapshot": str(snapshot_file),
        "hosts": hosts,
        "errors": sum(fault.level is FaultLevel.ERROR for fault in faults),
        "warnings": sum(fault.level is FaultLevel.WARNING for fault in faults),
        "owners": _by_owner(faults),
        "prefixes": None,
        "faults": list(faults),
    }


def _by_owner(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Return the owners with faults, most errors first."""
    owners: dict[str | None, list[Fault]] = {}
    for fault in faults:
        owners.setdefault(fault.owner, []).append(fault)
    rows = [
        {
            "owner": owner,
            "hosts": len({fault.host for fault in own}),
            "errors": sum(fault.level is FaultLevel.ERROR for fault in own),
            "warnings": sum(fault.level is FaultLevel.WARNING for fault in own),
        }
        for owner, own in owners.items()
    ]
    return sorted(rows, key=lambda row: (-int(row["errors"]), -int(row["warnings"]), str(row["owner"])))


def check_table(console: Console, document: Mapping[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    if document["faults"]:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("HOST", "OWNER", "LEVEL", "WHAT", "WHAT WOULD BE RIGHT"):
            table.add_column(title, no_wrap=title == "HOST")
        for fault in document["faults"]:
            row = (fault.host, fault.owner or "-", fault.level.value, fault.message, fault.hint)
            table.add_row(*(escape(text) for text in row))
        console.print(table)
    for row in document["owners"] if len(document["owners"]) > 1 else ():
        told = f"{_count(row['hosts'], 'host')}, {_count(row['errors'], 'error')}, {_count(row['warnings'], 'warning')}"
        console.print(f"{row['owner'] or 'no owner'}: {told}", style="dim", markup=False)
    errors, warnings = _count(document["errors"], "error"), _count(document["warnings"], "warning")
    known = document["prefixes"]
    prefixes = f"{known} known" if known else "none known, so addresses were not looked for in them"
    console.print(f"{_count(document['hosts'], 'host')}: {errors}, {warnings}; prefixes: {prefixes}", style="dim")


def age_text(age: timedelta) -> str:
    """Return an age as people say it: `40 s`, `12 min`, `5 h`, `3 d`."""
    seconds = max(0, round(age.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def now() -> datetime:
    return datetime.now(UTC)


def _moment_document(snapshot: Snapshot) -> dict[str, Any]:
    return {"taken_at": snapshot.taken_at, "source": snapshot.source, "hosts": len(snapshot.hosts)}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN_AT_MOST])
    return f"{shown} and {len(names) - _SHOWN_AT_MOST} more" if len(names) > _SHOWN_AT_MOST else shown


def _value(value: object) -> str:
    return "-" if value is None else str(value)
