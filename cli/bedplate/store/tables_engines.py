"""The tables of what other engines execute."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Table

from bedplate.store.columns import PlainText
from bedplate.store.tables import METADATA

# A row outlives its run, so that a run that was pruned here is not brought in again.
ENGINE_RUNS = Table(
    "engine_runs",
    METADATA,
    Column("engine", PlainText, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", PlainText, nullable=False),
    Column("complete", Boolean, nullable=False),
)

ENGINE_POSITIONS = Table(
    "engine_positions",
    METADATA,
    Column("engine", PlainText, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
