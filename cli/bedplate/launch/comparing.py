"""Comparing what hosts answered with their seals: functions of a host each, which another process may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bedplate.drift.capture import Capture, CaptureError
from bedplate.drift.comparison import Policy, compare
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.seal import Intent, Seal
from bedplate.launch.capturing import Captures


def no_texts(_digests: Iterable[str]) -> dict[str, bytes]:
    """Stand for a store without any text."""
    return {}


def request_of(key: bytes, today: date, more: Mapping[str, Any], signed: tuple[str, str]) -> dict[str, Any]:
    """Return the arguments of the module `seal` for a host and its signed seal; `more` goes with them."""
    host, text = signed
    return {**Seal.from_text(text, host, key).request(today), **more}


@dataclass(frozen=True)
class Comparing:
    """Compares what hosts answered with their seals, each with what it is meant to be; another process may, too."""

    looked: Captures
    key: bytes
    policy: Policy | None

    def check(self, sealed: tuple[str, str, Intent]) -> HostCheck | None:
        """Return what is to be said of a host; None where that takes texts, which are in the store."""
        host, text, meant = sealed
        try:
            found = self.looked.of(host)
        except CaptureError as error:
            return unknown(host, str(error))
        if found.texts:
            return None
        check = compare(Seal.from_text(text, host, self.key), found, meant, policy=self.policy)
        return self._with_record(check)

    def with_texts(
        self, sealed: tuple[str, str, Intent], texts: Callable[[Iterable[str]], Mapping[str, bytes]]
    ) -> HostCheck:
        """Return what is to be said of a host that showed the texts of changed files."""
        host, text, meant = sealed
        found, seal = self.looked.of(host), Seal.from_text(text, host, self.key)
        check = compare(seal, found, meant, policy=self.policy, texts=texts(_digests(seal, found)))
        return self._with_record(check)

    def _with_record(self, check: HostCheck) -> HostCheck:
        record = self.looked.record_of(check.host) if check.outcome is not CheckOutcome.UNKNOWN else None
        return record.added_to(check) if record else check


def unknown(host: str, reason: str) -> HostCheck:
    """Return the check of a host of which nothing is known."""
    return HostCheck(host, CheckOutcome.UNKNOWN, reason=reason)


def _digests(seal: Seal, found: Capture) -> set[str]:
    """Return the digests of the sealed texts of files that differ now."""
    files = seal.capture.states.get("file", {})
    return {digest for path in found.texts if (digest := files.get(path, {}).get("content"))}
