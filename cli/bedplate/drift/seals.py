"""Seals as they are kept, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptSeal:
    """A host's seal in the store.

    Attributes:
        product: whose agreed state it is.
        run: id of the run that brought the host to it.
        taken_at: when the host was captured, or when the last run ended whose updates it has taken over (UTC).
        digest: of what the seal says, without when it was taken and of which run: see `Seal.digest`.
        signed: the seal, as `Seal.to_text` wrote it.
        texts: digests of the texts that it names.
    """

    host: str
    product: str
    run: str
    taken_at: datetime
    digest: str
    signed: str
    texts: tuple[str, ...] = ()


@dataclass
class Sealed:
    """What came of sealing.

    Attributes:
        runs: ids of those that looked at the hosts.
        new: hosts whose seal is another than before.
        unchanged: hosts whose seal says the same.
        failures: by host that was not sealed, why.
    """

    product: str
    runs: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


class SealRepository(Protocol):
    """Each call is one transaction; times are UTC. Safe to share between threads.

    Every call raises StoreError when the store cannot be reached, is locked for too long or is full.
    """

    def put(self, seals: Sequence[KeptSeal], texts: Mapping[str, bytes]) -> list[str]:
        """Keep seals over those of the same hosts and product, with the texts that they name; return whose were new.

        A seal that says the same as the one that is kept changes nothing.

        Args:
            texts: compressed, by the digest of their content.
        """

    def renew(self, seals: Sequence[tuple[KeptSeal, str]]) -> list[str]:
        """Put seals, each with the digest of the one that it was made of, in its place; return whose were.

        Where another seal was taken in the meantime, that one stays.
        """

    def kept(self, product: str, hosts: Collection[str]) -> dict[str, KeptSeal]:
        """Return the seals of hosts; hosts without one are left out."""

    def taken(self, hosts: Collection[str]) -> dict[tuple[str, str], datetime]:
        """Return from when seals are (`KeptSeal.taken_at`), by product and host."""

    def signed(self, product: str, hosts: Collection[str]) -> dict[str, str]:
        """Return the seals of hosts, as they were signed; hosts without one are left out."""

    def sealed(self, product: str) -> set[str]:
        """Return the hosts that have a seal."""

    def texts(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return the texts of these digests; what is not kept is left out."""

    def sweep(self) -> int:
        """Remove the texts that no seal names any more; return how many there were."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""
