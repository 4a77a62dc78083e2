"""Where checks, findings and waivers are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from bedplate.drift.check import CheckRecord, DriftCheck, HostState
from bedplate.drift.finding import Finding, FindingEvent, FindingQuery
from bedplate.drift.night import Night
from bedplate.drift.waivers import Waiver


class DriftRepository(Protocol):
    """Each call is one transaction; times are UTC. Safe to share between threads.

    Every call raises StoreError when the store cannot be reached, is locked for too long or is full.
    """

    def record(self, record: CheckRecord) -> bool:
        """Keep what a check came to, whole or not at all. Return False, changing nothing, if it was kept before."""

    def known(self, hosts: Collection[str]) -> Iterator[Finding]:
        """Yield all findings of these hosts, the resolved ones too, host by host."""

    def find(self, query: FindingQuery) -> list[Finding]:
        """Return findings, the gravest and then the oldest first."""

    def get(self, finding_id: str) -> Finding:
        """Return the finding of this id, or of the only id that begins so. Raises NotFoundError."""

    def history(self, finding_id: str) -> list[FindingEvent]:
        """Return the steps of a finding's life, oldest first."""

    def host_states(self, product: str, hosts: Collection[str] | None = None) -> list[HostState]:
        """Return how hosts stood after the last check of a product, by name."""

    def checks(self, product: str | None = None, limit: int | None = None) -> list[DriftCheck]:
        """Return checks, newest first."""

    def put_waiver(self, waiver: Waiver) -> None:
        """Keep a waiver, over one of the same id."""

    def remove_waiver(self, waiver_id: str) -> None:
        """Remove a waiver. Raises NotFoundError."""

    def waivers(self) -> Sequence[Waiver]:
        """Return all waivers, those that have expired too, by id."""

    def untold(self, product: str) -> list[Finding]:
        """Return the open findings of which no message told since they were opened, in the order of `find`."""

    def set_told(self, finding_ids: Collection[str], at: datetime | None) -> None:
        """Remember when a message told of findings; None for: none did."""

    def put_night(self, night: Night) -> None:
        """Keep a night, over what was kept of it before."""

    def nights(self, product: str, inventory: str, limit: int | None = None) -> list[Night]:
        """Return nights, newest first."""

    def forget(self, before: datetime) -> None:
        """Remove what was over before a moment: resolved findings with their lives, checks, and nights."""

    def night_lock(self) -> AbstractContextManager[bool]:
        """Hold the lock of nights, which only a living process can hold; False where another has it."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""
