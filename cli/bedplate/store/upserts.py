"""Writing rows over those of the same key, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table

from bedplate.store.connections import Database

if TYPE_CHECKING:
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


class Upserts:
    """Writes rows, in order of their keys: two writers then wait for each other."""

    def __init__(self, database: Database) -> None:
        # Each dialect takes a while to import: only the one that is used.
        dialect = import_module(f"sqlalchemy.dialects.{database.address.backend}")
        self.insert: Callable[[Table], SqliteInsert] = dialect.insert

    def put(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows over those of the same key."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        statement = self.insert(table)
        columns = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=columns)
        unique = {tuple(row[key] for key in keys): row for row in rows}
        connection.execute(statement, [dict(unique[key]) for key in sorted(unique)])

    def add(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows of which there is none with the same key."""
        if not rows:
            return
        keys = [column.name for column in table.primary_key]
        ordered = sorted(rows, key=lambda row: tuple(row[key] for key in keys))
        connection.execute(self.insert(table).on_conflict_do_nothing(), [dict(row) for row in ordered])
