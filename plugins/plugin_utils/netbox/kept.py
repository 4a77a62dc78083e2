"""The tables of the last read, beside its snapshot: what a refresh goes on from."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any, Dict, List, Optional

from .private_files import write_privately
from .rows import TABLES, Table, Tables

_SUFFIX = ".tables"
_SCHEMA = 2


def tables_path(snapshot_path: str) -> str:
    """Return where the tables of a snapshot are kept."""
    return snapshot_path + _SUFFIX


def write_tables(snapshot_path: str, tables: Tables, mark: str) -> None:
    """Write the tables in one step (0600).

    Args:
        mark: what the snapshot has too that was made from them.

    Raises:
        InventoryError: the file cannot be written.
    """
    shared: Dict[int, int] = {}
    rendered: List[Any] = []
    hosts = {kind: _listed(table, shared, rendered) for kind, table in tables.hosts.items()}
    document = {
        "schema": _SCHEMA,
        "mark": mark,
        "hosts": hosts,
        "contexts": rendered,
        "related": tables.related,
        "services": tables.services,
        "interfaces": tables.interfaces,
        "assigned": tables.assigned,
    }
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    write_privately(tables_path(snapshot_path), gzip.compress(data, compresslevel=1, mtime=0))


def read_tables(snapshot_path: str, mark: str) -> Optional[Tables]:
    """Return the tables that a snapshot was made from, or None if they are not there as they were written."""
    try:
        with open(tables_path(snapshot_path), "rb") as file:
            document = json.loads(gzip.decompress(file.read()))
        if document["schema"] != _SCHEMA or document["mark"] != mark:
            return None
        return _tables(document)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None


def _tables(document: Dict[str, Any]) -> Tables:
    tables = Tables()
    rendered = document["contexts"]
    for kind, listed in document["hosts"].items():
        columns = [*listed["columns"], "config_context"]
        rows = [dict(zip(columns, values)) for values in listed["rows"]]  # noqa: B905 (not in Python 3.9)
        for row in rows:
            row["config_context"] = rendered[row["config_context"]]
        tables.hosts[kind] = {row["id"]: row for row in rows}
    tables.related = {name: _by_number(document["related"][name]) for name in TABLES}
    if document["services"] is not None:
        tables.services = _by_number(document["services"])
    tables.interfaces, tables.assigned = document["interfaces"], document["assigned"]
    return tables


def _listed(table: Table, shared: Dict[int, int], rendered: List[Any]) -> Dict[str, Any]:
    """Return rows without the names of their columns, which all have alike; the number of the context comes last."""
    columns = sorted(next(iter(table.values()), {}).keys() - {"config_context"})
    rows = [
        [*map(row.__getitem__, columns), _number(row["config_context"], shared, rendered)] for row in table.values()
    ]
    return {"columns": columns, "rows": rows}


def _number(context: Any, shared: Dict[int, int], rendered: List[Any]) -> int:  # noqa: ANN401 (rendered by NetBox)
    """Return where a context is in the list; hosts that share one share it there too."""
    number = shared.get(id(context))
    if number is None:
        number = shared[id(context)] = len(rendered)
        rendered.append(context)
    return number


def _by_number(table: Dict[str, Any]) -> Table:
    return {int(number): row for number, row in table.items()}
