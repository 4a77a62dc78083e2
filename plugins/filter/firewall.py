# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What is wrong with rules of the role firewall, and the lines of nftables that they become."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}\Z")
_PORT_PROTOCOLS = ("tcp", "udp", "sctp")
_PROTOCOL = re.compile(r"[a-z0-9][a-z0-9-]{0,15}\Z")
# nft takes these names from /etc/protocols, which a small host does not have.
_NUMBERS = {"igmp": 2, "gre": 47, "ospf": 89, "pim": 103, "vrrp": 112}
_ACTIONS = ("accept", "drop", "reject")
_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})\Z")
_KEYS = {"name", "action", "protocol", "ports", "sources"}


def _port_fault(port: object) -> str:
    """Return why `port` is neither a port nor a range of ports, or an empty string."""
    if isinstance(port, int) and not isinstance(port, bool):
        return "" if 0 < port < 65536 else "port {0} is not 1 to 65535".format(port)
    found = _RANGE.match(port) if isinstance(port, str) else None
    if found and 0 < int(found.group(1)) < int(found.group(2)) < 65536:
        return ""
    return "{0!r} is no port: a number of 1 to 65535, or a range such as '8000-8010'".format(port)


def network_faults(networks: list[object]) -> list[str]:
    """Return one sentence for each entry that is neither an IP address nor a network."""
    faults = []
    for network in networks:
        try:
            ipaddress.ip_network(str(network))
        except ValueError:
            faults.append("{0!r} is no IP address or network such as 192.0.2.0/24".format(network))
    return faults


def _rule_faults(rule: dict) -> list[str]:
    unknown = sorted(set(rule) - _KEYS)
    if unknown:
        return ["{0} is no key of a rule: it has {1}".format(unknown[0], ", ".join(sorted(_KEYS)))]
    protocol, ports = rule.get("protocol", "tcp"), rule.get("ports") or []
    faults = [fault for fault in map(_port_fault, ports) if fault]
    if rule.get("action", "accept") not in _ACTIONS:
        faults.append("action {0!r} is none of {1}".format(rule["action"], ", ".join(_ACTIONS)))
    if not isinstance(protocol, str) or not _PROTOCOL.match(protocol):
        faults.append("{0!r} is no protocol such as tcp, udp, vrrp or any".format(protocol))
    elif ports and protocol not in _PORT_PROTOCOLS:
        faults.append("{0} has no ports; only {1} have".format(protocol, ", ".join(_PORT_PROTOCOLS)))
    return faults + network_faults(rule.get("sources") or [])


def firewall_faults(rules: list[dict]) -> list[str]:
    """Return one sentence for each fault in a list of rules, each naming the rule."""
    faults = []
    for number, rule in enumerate(rules, 1):
        name = rule.get("name")
        if not isinstance(name, str) or not _NAME.match(name):
            faults.append(
                "rule {0}: {1!r} is no name of a rule: letters, digits, blanks and . _ / -, at most 64".format(
                    number, name
                )
            )
        else:
            faults.extend("{0}: {1}".format(name, fault) for fault in _rule_faults(rule))
    return faults


def service_rules(services: list[dict], without: list[int], sources: dict[str, list[str]]) -> list[dict]:
    """Return the rules that open the ports of NetBox services.

    Args:
        services: name, protocol and ports of each.
        without: TCP ports that have rules of their own, which a service in NetBox does not widen.
        sources: networks by name of a service; one that has none here is open to nobody, one that is not named to all.
    """
    rules = []
    for service in services:
        closed = service["name"] in sources and not sources[service["name"]]
        ports = [port for port in service["ports"] if service["protocol"] != "tcp" or port not in without]
        if ports and not closed:
            # NetBox lets people name services as they like.
            name = re.sub(r"[^A-Za-z0-9._/-]+", "-", str(service["name"])).strip("-._/")[:64] or "service"
            rule = {"name": name, "protocol": service["protocol"], "ports": ports}
            rules.append(dict(rule, sources=sources.get(service["name"], [])))
    return rules


def networks_of(addresses: list[str], version: int) -> list[str]:
    """Return the networks of one IP version, sorted, without those that others contain.

    Args:
        addresses: IP addresses and networks of both versions.
        version: 4 or 6.
    """
    networks = [ipaddress.ip_network(str(address)) for address in addresses]
    merged = ipaddress.collapse_addresses([network for network in networks if network.version == version])
    return [str(each.network_address if each.prefixlen == each.max_prefixlen else each) for each in merged]


def _set_of(values: list[str]) -> str:
    return values[0] if len(values) == 1 else "{{ {0} }}".format(", ".join(values))


def _what(rule: dict) -> str:
    """Return the part of a line that says which protocol and ports, with a blank behind it."""
    protocol, ports = rule.get("protocol", "tcp"), rule.get("ports") or []
    if ports:
        return "{0} dport {1} ".format(protocol, _set_of(_merged_ports(ports)))
    return "" if protocol == "any" else "meta l4proto {0} ".format(_NUMBERS.get(protocol, protocol))


def _merged_ports(ports: list[Any]) -> list[str]:
    """Return ports and ranges in order, those that touch each other as one: nftables refuses overlaps in a set."""
    spans: list[list[int]] = []
    for low, high in sorted(tuple(map(int, (str(port).split("-") * 2)[:2])) for port in ports):
        if spans and low <= spans[-1][1] + 1:
            spans[-1][1] = max(spans[-1][1], high)
        else:
            spans.append([low, high])
    return [str(low) if low == high else "{0}-{1}".format(low, high) for low, high in spans]


def firewall_lines(rules: list[dict], actions: Sequence[str] = ("accept",), *, closed: bool = False) -> list[str]:
    """Return the lines of a chain that the rules become, in their order.

    Args:
        rules: rules without faults.
        actions: only rules with one of these actions.
        closed: whether a rule without sources admits nobody instead of everybody.
    """
    lines = []
    for rule in rules:
        action = rule.get("action", "accept")
        if action not in actions:
            continue
        end = '{0}{1} comment "{2}"'.format(_what(rule), action, rule["name"])
        sources = rule.get("sources") or []
        if not sources and not closed:
            lines.append(end)
        for family, version in (("ip", 4), ("ip6", 6)):
            networks = networks_of(sources, version)
            if networks:
                lines.append("{0} saddr {1} {2}".format(family, _set_of(networks), end))
    return lines


def firewall_peer(connection: str) -> dict[str, Any]:
    """Return address and port of both ends of what sshd says in SSH_CONNECTION; an empty text gives no addresses."""
    words = connection.split()
    if len(words) != 4:
        return {"address": [], "port": []}
    address = ipaddress.ip_address(words[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return {"address": [str(mapped or address)], "port": [int(words[3])]}


class FilterModule:
    """Filters of the role firewall."""

    def filters(self) -> dict[str, Any]:
        return {
            "firewall_faults": firewall_faults,
            "firewall_lines": firewall_lines,
            "firewall_network_faults": network_faults,
            "firewall_peer": firewall_peer,
            "firewall_service_rules": service_rules,
        }
