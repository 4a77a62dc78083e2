"""One lab: its hosts brought up, looked at, repaired and taken down."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from factory.errors import FactoryError, NotFoundError
from factory.fleet import METAL, HostSpec, place
from factory.image import ensure_images, image_name, remove_images
from factory.inventory import copy_inventory
from factory.keys import COLLEAGUES, LOGIN
from factory.locks import locked
from factory.machine import WATCH_INSTANCES, raise_watch_limit
from factory.metal import Guest, guests_of
from factory.metal_image import ensure_metal_image, remove_metal_images
from factory.near import nearest
from factory.network import SubnetChoice, ensure_network, remove_network
from factory.podman import Container, Podman
from factory.progress import Progress
from factory.state import LabFolder

ENROLL = Path(__file__).resolve().parent.parent / "enroll.sh"
HOST_LABEL = "bedplate.lab.host"
_AT_A_TIME = 4
# Seconds for a host that runs to greet: a dead one refuses at once, a busy machine takes its time.
_PATIENCE = 20
# An emulated processor takes one to two minutes to boot when it has a core of its own.
_BOOT_SECONDS = 600


class Lab:
    """The hosts of one state folder.

    Args:
        path: the lab's state folder; two folders are two labs.
    """

    def __init__(self, path: Path, progress: Progress) -> None:
        self.folder = LabFolder(path)
        self._progress = progress
        self._podman = Podman()

    def up(self, specs: Sequence[HostSpec], subnet: SubnetChoice, *, recreate: Sequence[str] = ()) -> dict[str, Any]:
        """Bring the hosts up; whatever is there and right stays as it is.

        Args:
            subnet: where the hosts' addresses go.
            recreate: names of hosts that are made anew from the image.

        Raises:
            FactoryError: podman, an image, the network or a host failed.
            NotFoundError: `recreate` names an unknown host.
        """
        for name in recreate:
            self._named(name, specs)
        self._podman.check()
        self.folder.make()
        with locked(self.folder.path / ".lock"):
            placed = self._place(specs, subnet)
            self._podman.remove([self.folder.container(name) for name in recreate])
            for guest in guests_of(self.folder):
                if guest.name in recreate:
                    guest.remove()
            if not self._is_right(placed):
                self._repair(placed)
        return self.status()

    def status(self) -> dict[str, Any]:
        """Return what the lab is made of and what state each host is in."""
        record = self.folder.read()
        containers = self._containers()
        hosts = [self._host_status(spec, containers) for spec in (record.hosts if record else ())]
        with ThreadPoolExecutor(max(1, len(hosts))) as checks:
            for host, reachable in zip(hosts, checks.map(_answers, hosts), strict=True):
                host["reachable"] = reachable
        good = [host for host in hosts if host["state"] == "running" and host["reachable"]]
        state = "up" if hosts and len(good) == len(hosts) else "partial" if containers or hosts else "down"
        subnet = str(record.subnet) if record else None
        return {"schema": 1, "state": state, "folder": str(self.folder.path), "subnet": subnet, "hosts": hosts}

    def down(self, *, images: bool) -> dict[str, Any]:
        """Remove the lab's containers, its network and its folder; with `images`, unused images as well."""
        self._podman.check()
        had_files = self.folder.path.exists()
        with locked(self.folder.path / ".lock"):
            removed = self._containers()
            self._podman.remove([container.name for container in removed.values()])
            guests = guests_of(self.folder)
            for guest in guests:
                guest.remove()
            for name in sorted([*removed, *(guest.name for guest in guests)]):
                self._progress.step(name, "removed")
            remove_network(self.folder, self._podman, self._progress)
            self.folder.remove()
        if had_files:
            self._progress.step("files", f"removed {self.folder.path}")
        if images:
            remove_images(self._podman, self._progress)
            remove_metal_images(self._progress)
        return self.status()

    @property
    def subnet(self) -> ipaddress.IPv4Network | None:
        """The subnet that the lab was last made in."""
        record = self.folder.read()
        return record.subnet if record else None

    @property
    def hosts(self) -> tuple[HostSpec, ...]:
        """The hosts that the lab was last made of."""
        record = self.folder.read()
        return record.hosts if record else ()

    def place_inventory(self, source: Path, own: ipaddress.IPv4Network) -> str | None:
        """Return the folder of an inventory with this lab's addresses, or None: `source` itself has them.

        Args:
            own: the network that `source` has its addresses in.
        """
        target = self.folder.path / "inventory"
        if self.subnet is None or self.subnet == own:
            return None
        copy_inventory(source, target, own, self.subnet)
        return str(target)

    def host(self, name: str) -> HostSpec:
        """Return a host by name.

        Raises:
            NotFoundError: the lab has no such host; the hint names the nearest.
        """
        return self._named(name, self.hosts)

    def _named(self, name: str, specs: Sequence[HostSpec]) -> HostSpec:
        found = next((spec for spec in specs if spec.name == name), None)
        if found is None:
            raise NotFoundError(
                "no such host in the lab", where=name, hint=nearest(name, [spec.name for spec in specs])
            )
        return found

    def _place(self, specs: Sequence[HostSpec], subnet: SubnetChoice) -> list[HostSpec]:
        network, is_new = ensure_network(self.folder, subnet, self._podman, self._progress)
        if is_new:  # containers of a network that was lost cannot join another one
            self._podman.remove([container.name for container in self._containers().values()])
        return place(specs, network)

    def _containers(self) -> dict[str, Container]:
        found = self._podman.containers(self.folder.label)
        return {container.labels.get(HOST_LABEL, container.name): container for container in found}

    def _is_right(self, specs: Sequence[HostSpec]) -> bool:
        """Whether there is nothing to do: asks podman once and every host for an SSH login."""
        record, keys = self.folder.read(), self.folder.keys
        if record is None or list(record.hosts) != list(specs) or not keys.is_complete():
            return False
        containers = self._containers()
        if set(containers) != _containers_of(specs) or not keys.ssh_config.is_file():
            return False
        if any(container.state != "running" for container in containers.values()):
            return False
        guests = guests_of(self.folder)
        if {guest.name for guest in guests if guest.state == "running"} != _guests_of(specs):
            return False
        return all(self._each(specs, self._lets_in))

    def _repair(self, specs: Sequence[HostSpec]) -> None:
        ensure_images({spec.platform for spec in specs}, self._podman, self._progress)
        if raise_watch_limit():
            self._progress.step("machine", f"fs.inotify.max_user_instances raised to {WATCH_INSTANCES}")
        self.folder.keys.make_missing()
        containers = self._containers()
        surplus = [container for name, container in containers.items() if name not in _containers_of(specs)]
        self._podman.remove([container.name for container in surplus])
        for container in surplus:
            self._progress.step(container.name, "removed: not in the fleet")
        for guest in guests_of(self.folder):
            if guest.name not in _guests_of(specs):
                guest.remove()
                self._progress.step(guest.name, "removed: not in the fleet")
        # Containers first: the network that the others join is there while one of them runs.
        boxes = [spec for spec in specs if spec.machine != METAL]
        keys = dict(zip(boxes, self._each(boxes, lambda s: self._bring_up(s, containers.get(s.name))), strict=True))
        keys |= {spec: self._switch_on(spec) for spec in specs if spec.machine == METAL}
        self.folder.keys.write_known_hosts({spec.address: keys[spec] for spec in specs})
        self.folder.keys.write_ssh_config((spec.name, spec.address) for spec in specs)
        self.folder.write(ipaddress.IPv4Network(f"{specs[0].address}/24", strict=False), specs)
        for spec, lets_in in zip(specs, self._each(specs, self._comes_up), strict=True):
            if not lets_in:
                said = Guest(self.folder, spec.name).last_words() if spec.machine == METAL else ""
                raise FactoryError(
                    f"does not let {LOGIN} in over SSH at {spec.address}"
                    + (f"; its console says: {said}" * bool(said)),
                    where=spec.name,
                    hint=f"make it anew with --recreate {spec.name}",
                )

    def _switch_on(self, spec: HostSpec) -> tuple[str, str]:
        """Make, start or leave one bare-metal host, and return its name and SSH host key."""
        guest = Guest(self.folder, spec.name)
        what = guest.bring_up(spec, ensure_metal_image(spec.platform, self._podman, self._progress))
        self._progress.step(spec.name, f"{what}, {spec.address}")
        return spec.name, guest.host_key

    def _comes_up(self, spec: HostSpec) -> bool:
        """Whether a host lets Ansible in; one that boots a kernel of its own gets the time for it."""
        deadline = time.monotonic() + (_BOOT_SECONDS if spec.machine == METAL else 0)
        guest = Guest(self.folder, spec.name)
        if spec.machine == METAL:
            self._progress.step(spec.name, "waiting for its SSH: booting takes a minute or two", done=False)
        while not self._lets_in(spec):
            if time.monotonic() >= deadline or guest.state == "exited":
                return False
            time.sleep(3)
        return True

    def _bring_up(self, spec: HostSpec, container: Container | None) -> tuple[str, str]:
        """Make, start or leave one host, and return its name and SSH host key."""
        name = self.folder.container(spec.name)
        if container is not None and (container.state not in {"running", "exited"} or _moved(spec, container)):
            self._podman.remove([name])
            container = None
        if container is None:
            self._podman.create(name, image_name(spec.platform), self._options(spec))
        elif container.state != "running":
            self._podman.start(name)
        users = [word for user in (LOGIN, *COLLEAGUES) for word in (user, self.folder.keys.public_key(user))]
        script = ENROLL.read_text(encoding="utf-8")
        answer = self._podman.execute(name, ["sh", "-s", "--", *users], text_in=script)
        facts = [line.split(maxsplit=1) for line in answer.splitlines()]
        failed = [value for word, value in facts if word == "failed"]
        what = "made" if container is None else "checked" if container.state == "running" else "started"
        self._progress.step(
            spec.name, f"{what}, {spec.address}" + (f", failed units: {', '.join(failed)}" * bool(failed))
        )
        return spec.name, next(value for word, value in facts if word == "hostkey")

    def _options(self, spec: HostSpec) -> list[str]:
        octets = "".join(f":{int(octet):02x}" for octet in spec.address.split("."))
        labels = {HOST_LABEL: spec.name, "bedplate.lab.address": spec.address, "bedplate.lab.platform": spec.platform}
        return [
            f"--hostname={spec.name}",
            f"--network={self.folder.network}",
            f"--ip={spec.address}",
            f"--mac-address=02:bd{octets}",  # the same after a new start: neighbors' ARP entries stay true
            f"--label={self.folder.label}",
            *(f"--label={key}={value}" for key, value in labels.items()),
        ]

    def _host_status(self, spec: HostSpec, containers: dict[str, Container]) -> dict[str, Any]:
        container = containers.get(spec.name)
        row = asdict(spec)
        row["class"] = row.pop("host_class") or None
        if spec.machine == METAL:
            state = Guest(self.folder, spec.name).state
        else:
            state = container.state if container else "missing"
        return {**row, **self.folder.login(spec), "state": state}

    def _lets_in(self, spec: HostSpec) -> bool:
        command = [*self.folder.keys.ssh_command(LOGIN, spec.address), "sudo -n true"]
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0

    def _each(self, specs: Sequence[HostSpec], work: Callable[[HostSpec], Any]) -> list[Any]:
        with ThreadPoolExecutor(_AT_A_TIME) as workers:
            return list(workers.map(work, specs))


def _containers_of(specs: Sequence[HostSpec]) -> set[str]:
    return {spec.name for spec in specs if spec.machine != METAL}


def _guests_of(specs: Sequence[HostSpec]) -> set[str]:
    return {spec.name for spec in specs if spec.machine == METAL}


def _moved(spec: HostSpec, container: Container) -> bool:
    """Whether the container was made for another address or platform than the host has now."""
    made_for = container.labels.get("bedplate.lab.address"), container.labels.get("bedplate.lab.platform")
    return made_for != (spec.address, spec.platform)


def _answers(host: dict[str, Any]) -> bool:
    """Whether an SSH server greets at the host's address."""
    if host["state"] != "running":
        return False
    try:
        with socket.create_connection((host["address"], host["port"]), timeout=_PATIENCE) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
