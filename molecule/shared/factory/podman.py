"""Podman's commands, typed: what the factory needs of them and no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from factory.machine import as_root, container_runtime, find_program, run

CONFIGURATION = Path(__file__).resolve().parent.parent / "containers.conf"
# sshd and sudo write audit records, nftables and ping need the network; services with a sandbox of their own mount.
CAPABILITIES = ("AUDIT_WRITE", "NET_ADMIN", "NET_RAW", "SYS_ADMIN")


@dataclass(frozen=True)
class Container:
    """A container as podman lists it. `state` is podman's word: running, exited, created, paused…"""

    name: str
    state: str
    image: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Network:
    """A network of podman's and the subnets it has."""

    name: str
    subnets: tuple[str, ...]
    labels: Mapping[str, str]


class Podman:
    """Root's podman, with the project's own configuration instead of /etc/containers."""

    def __call__(self, *arguments: str, text_in: str | None = None, where: str | None = None) -> str:
        """Run a podman command and return what it printed.

        Raises:
            FactoryError: it failed.
        """
        return run([*self.command, *arguments], text_in=text_in, where=where)

    def check(self) -> None:
        """See that podman can be run, before anything is made.

        Raises:
            FactoryError: it is not installed, or root is out of reach.
        """
        _ = self.command

    @cached_property
    def command(self) -> list[str]:
        """The words to put in front of a podman subcommand.

        Raises:
            FactoryError: podman is not installed, or root is out of reach.
        """
        program = find_program("podman")
        return as_root(["env", f"CONTAINERS_CONF={CONFIGURATION}", program])

    def containers(self, label: str) -> list[Container]:
        """Return the containers that carry a label (`key` or `key=value`), in whatever state."""
        rows = self._json("ps", "--all", "--filter", f"label={label}", "--format", "json")
        return [Container(row["Names"][0], row["State"], row["Image"], row.get("Labels") or {}) for row in rows]

    def networks(self) -> list[Network]:
        """Return all of podman's networks."""
        rows = self._json("network", "ls", "--format", "json")
        return [
            Network(row["name"], tuple(s["subnet"] for s in row.get("subnets") or ()), row.get("labels") or {})
            for row in rows
        ]

    def images(self, label: str) -> dict[str, str]:
        """Return the tags of images that carry a label, and each one's id."""
        rows = self._json("images", "--filter", f"label={label}", "--format", "json")
        return {name: row["Id"] for row in rows for name in row.get("Names") or [row["Id"]]}

    def start(self, name: str) -> None:
        self("start", name, where=name)

    def execute(self, name: str, command: Sequence[str], *, text_in: str = "") -> str:
        """Run a command in a container as root and return what it printed."""
        return self("exec", "--interactive", name, *command, text_in=text_in, where=name)

    def create(self, name: str, image: str, options: Sequence[str]) -> None:
        """Start a new container with systemd as its first process; it starts again when a reboot ends it."""
        capabilities = [f"--cap-add={capability}" for capability in CAPABILITIES]
        fixed = ["--detach", "--systemd=always", "--restart=always", "--pull=never", *capabilities]
        self("--runtime", container_runtime(), "run", "--name", name, *fixed, *options, image, where=name)

    def remove(self, names: Sequence[str]) -> None:
        """Remove containers, running or not, with their anonymous volumes."""
        if names:
            self("rm", "--force", "--ignore", "--time=0", "--volumes", *names)

    def _json(self, *arguments: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self(*arguments) or "[]")
        return rows
