"""What people were told of already: a trouble is told once, until it is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Trouble:
    """Why a run did not end well: two runs with the same trouble are worth one message to each address.

    Attributes:
        product: the product's name, and for a check also that it was one.
        hosts: the hosts that failed, or those of the run where none did.
        task: the first task that failed, or how the run ended where none did.
        to: which address is told; of one that cannot be reached the others do not hear twice.
    """

    product: str
    hosts: Sequence[str]
    task: str
    to: str = ""

    @property
    def cause(self) -> str:
        """A digest that is the same for the same trouble."""
        text = json.dumps([self.product, sorted(self.hosts), self.task, self.to])
        return hashlib.sha256(text.encode()).hexdigest()


class NoticeRepository(Protocol):
    """Remembers of which troubles was told. Every call raises StoreError when the store cannot be reached."""

    def remember(self, trouble: Trouble, run_id: str, at: datetime) -> bool:
        """Remember a trouble; return False if it was known. Of two at once, one gets True."""

    def forget(self, trouble: Trouble) -> None:
        """Forget a trouble, because its address could not be told of it."""

    def settle(self, product: str, hosts: Sequence[str]) -> None:
        """Forget the troubles of a product whose hosts are all among these: it succeeded there again."""

    def close(self) -> None:
        """Release connections and files; the next call opens them anew."""
