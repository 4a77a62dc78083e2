# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Network interfaces as NetBox has them, compared with those of the host.

What exists only inside of the host (bonds, VLANs, bridges, tunnels, the ends of containers) is left alone on both
sides, but for addresses that NetBox has there. So are ports of the BMC, ports that are disabled in NetBox, and
addresses that DHCP, router advertisements or a neighbour in a cluster give.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .record_difference import Difference

Interface = Mapping[str, Any]

PHYSICAL = "physical"
_INNER_TYPES = ("virtual", "bridge", "lag")
_INNER_NAMES = re.compile(
    r"lo|(veth|vnet|tap|cali|lxc|ovs|fwbr|fwpr|fwln)[-\w]*"
    r"|(bond|team|br|bridge|vmbr|virbr|tun|wg|dummy|vlan|vxlan|geneve|docker|podman|cni|flannel|cilium|lxd|incus|kube|ifb"
    r"|sit|gre|ip6tnl|macvtap|macvlan)(\d[-\w]*|[-_][-\w]+)?|.+[.:]\d+"
)
_BMC_NAMES = re.compile(r"(idrac|ilo|ipmi|bmc|imc|xcc|irmc|oob|mgmt)", re.IGNORECASE)


def compare_interfaces(recorded: Sequence[Interface] | None, found: Sequence[Interface] | None) -> Iterator[Difference]:
    """Yield in what the interfaces of a host are not as NetBox has them; nothing where one side is not known.

    Args:
        recorded: those of the record.
        found: those of the host, each with `name`, `kind`, `mac`, `altnames`, and `addresses` that have `address` (with
            prefix length) and `fixed`.
    """
    if recorded is None or found is None:
        return
    pairs = paired(recorded, found)
    seen = {address["address"].partition("/")[0]: address for each in found for address in each["addresses"]}
    known = {_ip(text) for each in recorded for text in (*each.get("addresses", ()), *each.get("floating", ()))}
    for ours, theirs in sorted(pairs, key=lambda pair: str((pair[1] or pair[0] or {}).get("name"))):
        if ours is None and theirs is not None:
            yield Difference("interface " + theirs["name"], None, theirs["mac"] or "present", writable=True)
        elif theirs is None and ours is not None:
            yield Difference(
                "interface " + ours["name"], _mac(ours.get("mac_address")) or "present", None, writable=False
            )
        elif ours is not None and theirs is not None:
            yield from _mac_differs(ours, theirs)
        if theirs is not None:
            yield from _addresses_differ(ours, theirs, seen, known)


def paired(
    recorded: Sequence[Interface], found: Sequence[Interface]
) -> list[tuple[Interface | None, Interface | None]]:
    """Return which interface of NetBox is which of the host, and those that have none on the other side.

    The name decides; where it is another (a vendor's name of a port, an alternative name), the hardware address does.
    """
    pairs: list[tuple[Interface | None, Interface | None]] = []
    ours, theirs = list(recorded), list(found)
    for is_same in (_has_name, _has_mac, _has_other_name):
        for each in list(theirs):
            match = next((one for one in ours if is_same(one, each)), None)
            if match is not None:
                ours.remove(match)
                theirs.remove(each)
                pairs.append((match, each))
    pairs += [(None, each) for each in theirs if each["kind"] == PHYSICAL]
    return pairs + [(one, None) for one in ours if is_expected(one)]


def is_expected(interface: Interface) -> bool:
    """Return whether a host should have this interface of NetBox: it is a port of its own, in use."""
    name = str(interface["name"])
    inner = interface.get("type") in _INNER_TYPES or interface.get("parent") or _INNER_NAMES.fullmatch(name)
    unused = interface.get("enabled") is False or interface.get("mgmt_only") or _BMC_NAMES.match(name)
    return not (inner or unused)


def _has_name(ours: Interface, theirs: Interface) -> bool:
    return bool(ours["name"] == theirs["name"])


def _has_mac(ours: Interface, theirs: Interface) -> bool:
    return theirs["kind"] == PHYSICAL and _mac(theirs["mac"]) is not None and _mac(theirs["mac"]) in _macs(ours)


def _has_other_name(ours: Interface, theirs: Interface) -> bool:
    names = [str(name).lower() for name in (theirs["name"], *theirs.get("altnames", ()))]
    return str(ours["name"]).lower() in names


def _mac_differs(ours: Interface, theirs: Interface) -> Iterator[Difference]:
    found = _mac(theirs["mac"])
    if theirs["kind"] == PHYSICAL and found is not None and found not in _macs(ours):
        recorded = _mac(ours.get("mac_address"))
        yield Difference("interface {0} mac".format(theirs["name"]), recorded, found, writable=True)


def _addresses_differ(
    ours: Interface | None, theirs: Interface, seen: Mapping[str, Mapping[str, Any]], known: set[str]
) -> Iterator[Difference]:
    """Yield the addresses of one interface, if they differ.

    Args:
        seen: all addresses of the host, by themselves: one that is on another of its interfaces is not missing.
        known: all that NetBox has for the host.
    """
    recorded = [str(text) for text in (ours or {}).get("addresses", ())]
    floating = {_ip(text) for text in (ours or {}).get("floating", ())}
    if theirs["kind"] != PHYSICAL and not recorded:
        return
    missing = [text for text in recorded if _ip(text) not in floating and not _is_there(text, seen)]
    own = [each["address"] for each in theirs["addresses"] if each["fixed"]]
    extra = [text for text in own if _ip(text) not in known]
    if missing or extra:
        field = "interface {0} addresses".format(theirs["name"])
        yield Difference(
            field, _joined(recorded), _joined(each["address"] for each in theirs["addresses"]), writable=False
        )


def _is_there(text: str, seen: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the host has an address; the prefix counts unless NetBox has the address alone."""
    address = seen.get(_ip(text))
    if address is None:
        return False
    network = ipaddress.ip_interface(text).network
    return network.prefixlen == network.max_prefixlen or _prefix(address["address"]) == network.prefixlen


def _prefix(text: str) -> int:
    return ipaddress.ip_interface(text).network.prefixlen


def _ip(text: object) -> str:
    """Return an address without its prefix, as everybody spells it; what is none stays as it is."""
    try:
        return str(ipaddress.ip_interface(str(text)).ip)
    except ValueError:
        return str(text)


def _macs(interface: Interface) -> set[str]:
    listed = [interface.get("mac_address"), *(interface.get("mac_addresses") or ())]
    return {mac for mac in map(_mac, listed) if mac is not None}


def _mac(text: object) -> str | None:
    """Return a hardware address as Linux spells it; None for none, and for one that is all zeroes."""
    digits = re.sub(r"[^0-9a-f]", "", str(text or "").lower())
    if not digits.strip("0"):
        return None
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))


def _joined(texts: Any) -> str | None:  # noqa: ANN401 (any iterable)
    return ", ".join(sorted(texts, key=str)) or None
