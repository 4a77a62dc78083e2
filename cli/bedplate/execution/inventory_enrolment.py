"""Enrolling host keys: what hosts show, against what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from bedplate.errors import UsageError
from bedplate.execution.host_keys import own_known_hosts
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_known_hosts import HostKey, KnownHosts
from bedplate.execution.inventory_reach import KEY_TYPES, Probe, Reach, in_parallel, probe
from bedplate.execution.inventory_ssh import SshPlan, plan_ssh


class KeyState(StrEnum):
    """What a key is to a host."""

    KNOWN = "known"
    NEW = "new"
    CHANGED = "changed"
    REPLACED = "replaced"
    REVOKED = "revoked"


@dataclass(frozen=True)
class HostKeys:
    """The keys of one host.

    Attributes:
        key_name: what they are kept under.
        known: what the file says.
        shown: what the host showed; empty if it was not asked.
        error: why the host could not be asked.
    """

    host: str
    key_name: str
    known: tuple[HostKey, ...] = ()
    shown: tuple[HostKey, ...] = ()
    revoked: tuple[HostKey, ...] = ()
    error: str = ""

    @property
    def conflicts(self) -> tuple[HostKey, ...]:
        """Shown keys that are not to be trusted: revoked, or another one of a type that is known."""
        types = {key.type for key in self.known}
        return tuple(key for key in self.shown if key in self.revoked or (key.type in types and key not in self.known))

    @property
    def new(self) -> tuple[HostKey, ...]:
        """Shown keys that may be enrolled; none of a host with a conflict."""
        return () if self.conflicts else tuple(key for key in self.shown if key not in self.known)

    def rows(self) -> list[tuple[HostKey, KeyState]]:
        """Return each key once, with what it is."""
        shown_types = {key.type for key in self.shown}
        rows = [
            (key, KeyState.REPLACED if key.type in shown_types and key not in self.shown else KeyState.KNOWN)
            for key in self.known
        ]
        return rows + [(key, self._state(key)) for key in self.shown if key not in self.known]

    def _state(self, key: HostKey) -> KeyState:
        if key in self.revoked:
            return KeyState.REVOKED
        return KeyState.CHANGED if key in self.conflicts else KeyState.NEW


class Enrolment:
    """One known_hosts file and the hosts whose keys belong into it.

    Args:
        hosts: names in the inventory.
        known_hosts: the file; by default the one that the inventory's ssh arguments name, else the state folder's.

    Raises:
        UsageError: the file cannot be read, or the hosts' ssh arguments name several.
    """

    def __init__(self, adapter: InventoryAdapter, hosts: Sequence[str], known_hosts: Path | None = None) -> None:
        connections = adapter.connections(hosts)
        self.inventory = adapter.path
        self.plans = [plan_ssh(connections[host], adapter.settings) for host in hosts if connections[host].is_ssh]
        default = own_known_hosts(adapter.settings.home)
        self.file = known_hosts.expanduser().absolute() if known_hosts else _named_file(self.plans) or default
        self._known = KnownHosts(self.file)

    @property
    def is_used_by_ssh(self) -> bool:
        """Whether ssh looks into the file when it connects to these hosts."""
        return all(self.file in plan.known_hosts for plan in self.plans)

    def known(self) -> list[HostKeys]:
        """Return what the file says, without asking a host."""
        return [self._of(plan) for plan in self.plans]

    def scan(self, timeout: float) -> list[HostKeys]:
        """Ask all hosts for all of their keys; `timeout` is in seconds for each step."""
        probes = in_parallel(self.plans, partial(probe, timeout=timeout, types=KEY_TYPES, all_types=True))
        return [self._of(answer.plan, answer) for answer in probes]

    def enrol(self, found: Sequence[HostKeys]) -> None:
        """Write down the new keys. Raises UsageError if the file cannot be written."""
        for host in found:
            self._known.add(host.key_name, host.new)
        self._known.save()

    def replace(self, host: HostKeys) -> None:
        """Forget the keys of a host and write down those that it showed. Raises UsageError."""
        if any(key in host.revoked for key in host.shown):
            raise UsageError("shows a key that is revoked", where=host.host, hint=f"@revoked in {self.file}")
        self._known.forget(host.key_name)
        self._known.add(host.key_name, host.shown)
        self._known.save()

    def _of(self, plan: SshPlan, answer: Probe | None = None) -> HostKeys:
        return HostKeys(
            host=plan.host,
            key_name=plan.key_name,
            known=tuple(self._known.keys(plan.key_name)),
            shown=answer.keys if answer else (),
            revoked=tuple(self._known.revoked(plan.key_name)),
            error=answer.error if answer and answer.reach is not Reach.SSH else "",
        )


def _named_file(plans: Sequence[SshPlan]) -> Path | None:
    named = {plan.named_known_hosts for plan in plans if plan.named_known_hosts}
    if len(named) > 1:
        files = ", ".join(sorted(str(file) for file in named))
        raise UsageError(f"the hosts keep their keys in several files: {files}", hint="--known-hosts or --limit")
    return next(iter(named), None)
