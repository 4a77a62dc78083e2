"""What podman's network program netavark leaves in the packet filter when a container ended without it."""

from __future__ import annotations

import ipaddress

from factory.machine import as_root, find_optional, run

_NAME = "NETAVARK"
_OF_A_NETWORK = "NETAVARK-"
_TABLES = ("filter", "nat")


def forget(subnet: ipaddress.IPv4Network) -> None:
    """Remove netavark's rules for a subnet that no network has now, and the chains that only they led to.

    They would act on the next lab that gets the subnet or the name: its chain would begin with another one's rules.

    Raises:
        FactoryError: a rule could not be removed.
    """
    program = find_optional("iptables")
    if program is None:
        return
    for table in _TABLES:
        iptables = as_root([program, "--wait", "--table", table])
        for rule in _rules(run([*iptables, "--list-rules"]), subnet):
            run([*iptables, "--delete", *rule], where=str(subnet))
            chain = rule[-1]
            if chain.startswith(_OF_A_NETWORK):
                run([*iptables, "--flush", chain], where=chain)
                run([*iptables, "--delete-chain", chain], where=chain)


def _rules(listed: str, subnet: ipaddress.IPv4Network) -> list[list[str]]:
    """Return the words of netavark's rules for this subnet, without the verb; not those in the chain of a network."""
    rules = [line.split()[1:] for line in listed.splitlines() if line.startswith("-A ")]
    about = [words for words in rules if str(subnet) in words and any(word.startswith(_NAME) for word in words)]
    return [words for words in about if not words[0].startswith(_OF_A_NETWORK)]
