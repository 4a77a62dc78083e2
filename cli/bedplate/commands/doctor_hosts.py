"""What `bedplate doctor` looks at on each host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_known_hosts import KnownHosts
from bedplate.execution.inventory_reach import KeyTrust, Probe, Reach, in_parallel, known_types, probe, trust
from bedplate.execution.inventory_ssh import SshPlan, plan_ssh

_REACH_HINTS = {
    Reach.NO_NAME: "set ansible_host, or the host's name in DNS",
    Reach.NO_TCP: "is it up, is the address right, does a firewall let you through?",
    Reach.NO_SSH: "something else answers at this port, or sshd turns you away",
}
_KEY_WORDS = {
    KeyTrust.MATCH: "host key is the known one",
    KeyTrust.UNKNOWN: "host key is not known yet",
    KeyTrust.CHANGED: "host key is not the known one",
    KeyTrust.REVOKED: "host key is revoked",
    KeyTrust.NOT_SEEN: "showed no host key",
}
_KEY_HINTS = {
    KeyTrust.UNKNOWN: "bedplate inventory keys scan --limit {host}",
    KeyTrust.CHANGED: "find out why; if it was reinstalled: bedplate inventory keys rotate {host}",
    KeyTrust.REVOKED: "somebody declared this key as compromised: do not connect",
}


@dataclass(frozen=True)
class HostCheck:
    """How far one gets with a host, without logging in."""

    host: str
    address: str
    port: int
    reach: Reach
    banner: str
    key: KeyTrust
    detail: str
    hint: str

    @property
    def is_good(self) -> bool:
        return self.reach is Reach.SSH and self.key is KeyTrust.MATCH


def plan_hosts(adapter: InventoryAdapter, hosts: Sequence[str]) -> list[SshPlan]:
    """Return how ssh would reach those of the hosts that ansible reaches by ssh. Raises InventoryError."""
    connections = adapter.connections(hosts)
    return [plan_ssh(connections[host], adapter.settings) for host in hosts if connections[host].is_ssh]


def check_hosts(plans: Sequence[SshPlan], timeout: float, done: Callable[[Probe], None]) -> list[HostCheck]:
    """Connect to hosts, many at a time.

    Args:
        timeout: seconds for each step.
        done: hears of each answer as it comes.

    Raises:
        UsageError: a known_hosts file cannot be read.
    """
    files = {path: KnownHosts(path) for path in dict.fromkeys(path for plan in plans for path in plan.known_hosts)}

    def known(plan: SshPlan) -> list[KnownHosts]:
        return [files[path] for path in plan.known_hosts]

    def ask(plan: SshPlan) -> Probe:
        return probe(plan, timeout, known_types(plan, known(plan)))

    return [_checked(answer, known(answer.plan)) for answer in in_parallel(plans, ask, done)]


def _checked(answer: Probe, files: Sequence[KnownHosts]) -> HostCheck:
    plan, key = answer.plan, trust(answer.plan, answer.keys, files)
    reached = answer.reach is Reach.SSH
    hint = _KEY_HINTS.get(key, "") if reached else _REACH_HINTS[answer.reach]
    return HostCheck(
        host=plan.host,
        address=plan.address,
        port=plan.port,
        reach=answer.reach,
        banner=answer.banner,
        key=key,
        detail=_KEY_WORDS[key] if reached else answer.error,
        hint=hint.format(host=plan.host),
    )
