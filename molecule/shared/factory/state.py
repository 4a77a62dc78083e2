"""What a lab knows of itself: the folder it lives in and `fleet.json` there."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from factory.errors import UsageError
from factory.fleet import METAL, HostSpec
from factory.keys import Keyring, write

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """What `fleet.json` says: the network and the hosts as they were last made."""

    subnet: ipaddress.IPv4Network
    hosts: tuple[HostSpec, ...]


class LabFolder:
    """The state folder of one lab; its path is the lab's identity.

    Args:
        path: the folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.identity = hashlib.sha256(str(self.path).encode()).hexdigest()[:8]
        self.keys = Keyring(self.path)
        self._fleet = self.path / "fleet.json"

    @property
    def label(self) -> str:
        """The label that this lab's containers and network carry."""
        return f"bedplate.lab={self.identity}"

    @property
    def network(self) -> str:
        return f"bedplate-{self.identity}"

    def container(self, host: str) -> str:
        """Return the name of a host's container, unique on this machine."""
        return f"bedplate-{self.identity}-{host}"

    def read(self) -> Record | None:
        """Return what the lab was last made of, or None.

        Raises:
            UsageError: fleet.json was written by a newer version.
        """
        try:
            document = json.loads(self._fleet.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None  # lost or torn: `up` writes it anew
        if document.get("schema") != SCHEMA:
            raise UsageError(f"has schema {document.get('schema')}, known is {SCHEMA}", where=str(self._fleet))
        names = {field.name for field in fields(HostSpec)}
        hosts = tuple(HostSpec(**{k: v for k, v in host.items() if k in names}) for host in document["hosts"])
        return Record(ipaddress.IPv4Network(document["subnet"]), hosts)

    def write(self, subnet: ipaddress.IPv4Network, hosts: Sequence[HostSpec]) -> None:
        """Write fleet.json, with what someone who reads it needs for a login."""
        rows = [{**asdict(host), **self.login(host)} for host in hosts]
        head = {"schema": SCHEMA, "identity": self.identity, "network": self.network, "subnet": str(subnet)}
        write(self._fleet, json.dumps({**head, "hosts": rows}, indent=2) + "\n")

    def login(self, host: HostSpec) -> dict[str, str | int | None]:
        """Return how to log in to a host: port, user, key and known_hosts."""
        key = self.keys.private_key("ansible")
        container = None if host.machine == METAL else self.container(host.name)
        return {
            "container": container,
            "user": "ansible",
            "port": 22,
            "key": str(key),
            "known_hosts": str(self.keys.known_hosts),
        }

    def make(self) -> None:
        """Make the folder, readable for its owner only."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)

    def remove(self) -> None:
        """Remove the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=False)
