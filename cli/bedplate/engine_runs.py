"""Runs that another engine executes: which of its executions each one is, and how far they were brought in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class EngineRun:
    """One execution of an engine, and the run that it is here.

    Attributes:
        engine: the engine's address.
        number: what the engine calls the execution.
        complete: all that the engine has of it is in the store, or it never will be.
    """

    engine: str
    number: int
    run_id: str
    complete: bool = False


class EngineRunRepository(Protocol):
    """Where that is kept. Each call is one transaction, and raises StoreError when the store cannot be reached."""

    def claim(self, engine: str, number: int, run_id: str) -> EngineRun:
        """Say that an execution is this run, unless another run was said before; return what holds."""

    def known(self, engine: str, numbers: Collection[int]) -> dict[int, EngineRun]:
        """Return which of these executions are runs here, by number."""

    def settle(self, engine: str, number: int) -> None:
        """Say that all of an execution was brought in."""

    def position(self, engine: str) -> int:
        """Return up to which execution everything was brought in; 0 at first."""

    def advance(self, engine: str, position: int) -> None:
        """Remember such a position. It never goes back."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""
