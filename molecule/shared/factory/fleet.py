"""Which hosts a lab has: from a snapshot of the inventory, or named one by one."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factory.errors import UsageError

# What NetBox calls a platform, and the Debian release that it is.
RELEASES = {"debian-12": "bookworm", "debian-13": "trixie"}
FIRST_HOST = 11
# A container shares this machine's kernel; metal is an emulated machine with its own, a BMC and an NVMe disk.
CONTAINER, METAL = "container", "metal"


@dataclass(frozen=True)
class HostSpec:
    """A host as it is wanted.

    Attributes:
        platform: a key of RELEASES.
        address: IPv4 address, or empty: the factory picks one.
        host_class: bare_metal, colo or cloud; empty where it does not matter.
        machine: CONTAINER or METAL.
    """

    name: str
    platform: str
    address: str = ""
    host_class: str = ""
    machine: str = CONTAINER


def read_fleet(snapshot: Path) -> list[HostSpec]:
    """Return the hosts of a snapshot file.

    Raises:
        UsageError: it cannot be read, or a host lacks what a lab host needs.
    """
    try:
        records = json.loads(snapshot.read_text(encoding="utf-8"))["hosts"]
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(snapshot)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError("is not a snapshot: a JSON document with hosts", where=str(snapshot)) from error
    if not isinstance(records, dict) or not records:
        raise UsageError("has no hosts", where=str(snapshot))
    return [_spec(name, record) for name, record in sorted(records.items())]


def parse_hosts(values: Iterable[str]) -> list[HostSpec]:
    """Return the hosts of `NAME=PLATFORM` and `NAME=PLATFORM/metal` arguments.

    Raises:
        UsageError: an argument has another form, or names an unknown platform or kind of machine.
    """
    specs = []
    for value in values:
        name, _, platform = value.partition("=")
        if not name or not platform:
            raise UsageError("must be NAME=PLATFORM, like web1=debian-12", where=value)
        platform, _, machine = platform.partition("/")
        if machine not in {"", METAL}:
            raise UsageError(f"no kind of machine {machine!r}", where=name, hint=f"known is {METAL}")
        specs.append(HostSpec(name, _known_platform(platform, name), machine=machine or CONTAINER))
    return specs


def with_metal(specs: Iterable[HostSpec], *, asked: bool, before: Iterable[HostSpec]) -> list[HostSpec]:
    """Return the hosts with those of class bare_metal as such machines, if asked for or if they were so before.

    Raises:
        UsageError: it was asked for, and no host is of that class.
    """
    specs = list(specs)
    metal = {spec.name for spec in specs if spec.host_class == "bare_metal"}
    if asked and not metal:
        raise UsageError("the inventory has no host of class bare_metal", hint="leave out --metal")
    kept = metal if asked else metal & {spec.name for spec in before if spec.machine == METAL}
    return [replace(spec, machine=METAL) if spec.name in kept else spec for spec in specs]


def _spec(name: str, record: Mapping[str, Any]) -> HostSpec:
    address = record.get("primary_ip4")
    if not address:
        raise UsageError("has no primary_ip4: a lab host needs a fixed address", where=name)
    platform = _known_platform(record.get("platform"), name)
    return HostSpec(name, platform, str(address), str(record.get("class") or ""))


def _known_platform(platform: object, host: str) -> str:
    if platform not in RELEASES:
        raise UsageError(f"no image for platform {platform!r}", where=host, hint=f"known are {', '.join(RELEASES)}")
    return str(platform)


def network_of(specs: Iterable[HostSpec]) -> ipaddress.IPv4Network:
    """Return the /24 network that the hosts' addresses are in.

    Raises:
        UsageError: an address is no IPv4 address, or they are in more than one network.
    """
    networks = {}
    for spec in specs:
        try:
            networks[ipaddress.IPv4Network(f"{spec.address}/24", strict=False)] = spec.name
        except ValueError as error:
            raise UsageError(f"{spec.address!r} is no IPv4 address", where=spec.name) from error
    if len(networks) != 1:
        names = ", ".join(f"{network} ({name})" for network, name in networks.items())
        raise UsageError(f"the hosts' addresses are in several networks: {names}; a lab has one /24")
    return next(iter(networks))


def place(specs: Iterable[HostSpec], network: ipaddress.IPv4Network) -> list[HostSpec]:
    """Return the hosts with addresses in `network`: the same host part as before, or the next free one.

    Raises:
        UsageError: the network is too small.
    """
    placed = []
    for number, spec in enumerate(specs):
        offset = int(ipaddress.IPv4Address(spec.address)) & 0xFF if spec.address else FIRST_HOST + number
        if not 1 < offset < network.num_addresses - 1:
            raise UsageError(f"host {spec.name} has number {offset}, which {network} has not", hint="use a /24")
        placed.append(replace(spec, address=str(network[offset])))
    return placed
