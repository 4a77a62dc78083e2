"""Prefixes of NetBox, and addresses that are outside the prefixes of their own site."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.errors import InventoryError
from bedplate.fleet.record import HostRecord

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Prefix:
    """A prefix, and the slug of its site where it has one."""

    network: Network
    site: str | None = None


def parse_prefixes(document: object, where: str) -> list[Prefix]:
    """Return the prefixes of an answer of NetBox's `/api/ipam/prefixes/`, or of the list in it.

    Raises:
        InventoryError: it is no such answer, or not the whole of one.
    """
    entries = document.get("results") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise InventoryError(
            "is no list of prefixes", where=where, hint="it is an answer of NetBox's /api/ipam/prefixes/"
        )
    if isinstance(document, dict) and document.get("next"):
        raise InventoryError(
            f"has only {len(entries)} of {document.get('count')} prefixes", where=where, hint="ask with a larger limit"
        )
    return [_prefix(entry, f"{where}: entry {number}") for number, entry in enumerate(entries, start=1)]


def stray_addresses(records: Sequence[HostRecord], prefixes: Sequence[Prefix]) -> Iterator[tuple[HostRecord, str]]:
    """Yield hosts with an address that no prefix has, or that the narrowest prefix has for another site."""
    by_length: dict[tuple[int, int], dict[int, Prefix]] = defaultdict(dict)
    for prefix in prefixes:
        by_length[prefix.network.version, prefix.network.prefixlen][int(prefix.network.network_address)] = prefix
    lengths = sorted(by_length, reverse=True)
    for record in records if prefixes else ():
        for text in record.addresses:
            address = _address(text)
            if address is None:
                yield record, f"has {text}, which is no address"
                continue
            found = _narrowest(address, by_length, lengths)
            if found is None:
                yield record, f"has {text}, which is in no prefix"
            elif found.site and record.site and found.site != record.site:
                yield record, f"is at {record.site} and has {text}, but {found.network} is of {found.site}"


def _narrowest(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    by_length: Mapping[tuple[int, int], Mapping[int, Prefix]],
    lengths: Sequence[tuple[int, int]],
) -> Prefix | None:
    for version, length in lengths:
        if version == address.version:
            shift = address.max_prefixlen - length
            found = by_length[version, length].get(int(address) >> shift << shift)
            if found is not None:
                return found
    return None


def _prefix(entry: Any, where: str) -> Prefix:  # noqa: ANN401
    try:
        network = ipaddress.ip_network(entry["prefix"])
    except (KeyError, TypeError, ValueError):
        raise InventoryError("has no prefix such as 10.0.0.0/24", where=where) from None
    scope = entry.get("scope") if entry.get("scope_type") == "dcim.site" else entry.get("site")
    site = scope.get("slug") if isinstance(scope, dict) else None
    return Prefix(network, str(site) if site else None)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
