"""Locks: one change per host at a time, and so many runs of a product. A lock holds as long as its run is unfinished:
a run whose process died is closed by the next command, and its locks with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Claim:
    """What a run needs for itself.

    Attributes:
        hosts: those that no other run may change meanwhile.
        concurrency: how many runs of the product there may be at once; None for any number.
    """

    run_id: str
    product: str
    hosts: Sequence[str] = ()
    concurrency: int | None = None


@dataclass(frozen=True)
class Holder:
    """The run that has a lock."""

    run_id: str
    product: str
    requester: str


@dataclass(frozen=True)
class Occupied:
    """What others have of a claim; nothing of it if both are empty.

    Attributes:
        hosts: host → who changes it.
        running: the runs that take the product's places, if all are taken.
    """

    hosts: dict[str, Holder] = field(default_factory=dict)
    running: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hosts or self.running)


class LockRepository(Protocol):
    """Where locks are kept. Every call raises StoreError when the store cannot be reached."""

    def occupied(self, claim: Claim) -> Occupied:
        """Return what others have of a claim. Nothing is taken."""

    def take(self, claim: Claim) -> Occupied:
        """Take all of a claim for its run, or nothing of it: then return what others have.

        Two who take at the same moment never both get it. The run must be in the store.
        """

    def release(self, run_id: str) -> None:
        """Give back what a run has."""
