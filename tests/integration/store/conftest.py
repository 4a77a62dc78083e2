"""Stores on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.postgresql import PostgresqlServer, require_postgresql
from integration.store.places import Place, postgresql_place, sqlite_place


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    server = PostgresqlServer(require_postgresql())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A new and empty store, on each database."""
    if request.param == "sqlite":
        yield sqlite_place(tmp_path / "home")
        return
    server = request.getfixturevalue("postgresql_server")
    with postgresql_place(server, tmp_path) as place:
        yield place
