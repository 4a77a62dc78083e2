"""The lab's own network: its subnet, and who has it if it is taken."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass

from factory import packet_rules
from factory.errors import FactoryError
from factory.machine import find_program, run
from factory.podman import Network, Podman
from factory.progress import Progress
from factory.state import LabFolder

# Scenarios and tests take any /24 of this but the lab's own default.
POOL = ipaddress.IPv4Network("10.213.0.0/16")
LAB_DEFAULT = ipaddress.IPv4Network("10.213.77.0/24")
FOLDER_LABEL = "bedplate.lab.folder"


@dataclass(frozen=True)
class SubnetChoice:
    """Where a lab's hosts go.

    Attributes:
        asked: what the person asked for; a lab that is elsewhere already is an error.
        default: what a new lab takes when nothing was asked for; None is any free one of the pool.
    """

    asked: ipaddress.IPv4Network | None = None
    default: ipaddress.IPv4Network | None = None


def ensure_network(
    folder: LabFolder, subnet: SubnetChoice, podman: Podman, progress: Progress
) -> tuple[ipaddress.IPv4Network, bool]:
    """Make the lab's network unless it is there, and return its subnet and whether it was made just now.

    Raises:
        FactoryError: the subnet is taken, or the lab already has another one.
    """
    networks = podman.networks()
    own = next((network for network in networks if network.name == folder.network), None)
    if own is not None:
        return _same_subnet(own, subnet.asked), False
    wanted = subnet.asked or subnet.default
    if wanted is None:
        return _create_any(folder, networks, podman, progress), True
    taken = _taken_by(wanted, networks)
    if taken:
        free = next(_candidates(folder, networks))
        raise FactoryError(f"the subnet is taken by {taken}", where=str(wanted), hint=f"try --subnet {free}")
    return _create(folder, wanted, podman, progress), True


def remove_network(folder: LabFolder, podman: Podman, progress: Progress) -> None:
    """Remove the lab's network if it is there."""
    for own in [network for network in podman.networks() if network.name == folder.network]:
        podman("network", "rm", "--force", own.name, where=own.name)
        for subnet in own.subnets:
            packet_rules.forget(ipaddress.IPv4Network(subnet))
        progress.step("network", "removed")


def _create_any(
    folder: LabFolder, networks: list[Network], podman: Podman, progress: Progress
) -> ipaddress.IPv4Network:
    for candidate in _candidates(folder, networks):
        try:
            return _create(folder, candidate, podman, progress)
        except FactoryError as error:
            if "already used" not in error.message:  # another lab took it just now
                raise
    raise FactoryError("no free /24 is left for another lab", where=str(POOL))


def _candidates(folder: LabFolder, networks: list[Network]) -> Iterator[ipaddress.IPv4Network]:
    """Yield free subnets, each lab from another start, so that labs made at once seldom meet."""
    subnets = [subnet for subnet in POOL.subnets(new_prefix=24) if subnet != LAB_DEFAULT]
    start = int(folder.identity, 16) % len(subnets)
    for subnet in (*subnets[start:], *subnets[:start]):
        if not _taken_by(subnet, networks):
            yield subnet


def _create(
    folder: LabFolder, subnet: ipaddress.IPv4Network, podman: Podman, progress: Progress
) -> ipaddress.IPv4Network:
    labels = [f"--label={folder.label}", f"--label={FOLDER_LABEL}={folder.path}"]
    podman("network", "create", "--disable-dns", f"--subnet={subnet}", *labels, folder.network, where=str(subnet))
    progress.step("network", f"made {subnet}")
    return subnet


def _same_subnet(own: Network, wanted: ipaddress.IPv4Network | None) -> ipaddress.IPv4Network:
    subnet = ipaddress.IPv4Network(own.subnets[0])
    if wanted is not None and subnet != wanted:
        raise FactoryError(f"the lab already has the subnet {subnet}", where=str(wanted), hint="take it down first")
    return subnet


def _taken_by(subnet: ipaddress.IPv4Network, networks: list[Network]) -> str:
    """Return who has an overlapping subnet, in words, or nothing."""
    for network in networks:
        if any(_overlaps(subnet, other) for other in network.subnets):
            folder = network.labels.get(FOLDER_LABEL)
            return f"podman network {network.name}" + (f" of the lab in {folder}" if folder else "")
    for route in json.loads(run([find_program("ip"), "-json", "-4", "route", "show"]) or "[]"):
        if route["dst"] != "default" and _overlaps(subnet, route["dst"]):
            return f"the route {route['dst']} of {route.get('dev', 'another device')}"
    return ""


def _overlaps(subnet: ipaddress.IPv4Network, other: str) -> bool:
    try:
        return subnet.overlaps(ipaddress.IPv4Network(other, strict=False))
    except ValueError:  # IPv6
        return False
