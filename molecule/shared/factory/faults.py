"""Faults: what colleagues change by hand on a host, over SSH and sudo, with the traces that this leaves."""

from __future__ import annotations

import random
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.errors import FactoryError, NotFoundError
from factory.fleet import HostSpec
from factory.lab import Lab
from factory.machine import last_line
from factory.near import nearest

REGISTER = Path(__file__).resolve().parent.parent / "faults.toml"


@dataclass(frozen=True)
class Fault:
    """One thing that a colleague does.

    Attributes:
        user: the colleague whose account and key are used.
        summary: what is done, after the colleague's name.
        commands: shell lines, run one after the other in one login each.
        needs: a service, or a file with a leading slash, without which there is nothing to break.
    """

    name: str
    user: str
    summary: str
    commands: tuple[str, ...]
    needs: str = ""

    def describe(self) -> dict[str, str]:
        """Return what is shown of it."""
        return {"name": self.name, "user": self.user, "summary": self.summary, "needs": self.needs}

    @property
    def check(self) -> str:
        """The shell line that says by its exit code whether there is something to break."""
        if not self.needs:
            return "true"
        return f"test -e {self.needs}" if self.needs.startswith("/") else f"systemctl -q is-active {self.needs}"


def read_faults() -> list[Fault]:
    """Return the register of faults."""
    tables = tomllib.loads(REGISTER.read_text(encoding="utf-8"))
    return [Fault(name, **{**table, "commands": tuple(table["commands"])}) for name, table in tables.items()]


def break_hosts(lab: Lab, names: Sequence[str], fault_name: str | None) -> list[dict[str, str]]:
    """Break hosts and return what was done where.

    Args:
        names: hosts; none takes a random one.
        fault_name: the fault; None takes, for each host, a random one that has something to break there.

    Raises:
        NotFoundError: an unknown host or fault.
        FactoryError: a host cannot be reached, has nothing to break, or a command failed.
    """
    faults = [_named(fault_name)] if fault_name else read_faults()
    if not lab.hosts:
        raise FactoryError("the lab is down", hint="bring it up first: bedplate lab up")
    hosts = [lab.host(name) for name in names] or [random.choice(lab.hosts)]  # noqa: S311 (no secret)
    return [_break(lab, host, faults) for host in hosts]


def _named(name: str) -> Fault:
    faults = {fault.name: fault for fault in read_faults()}
    if name not in faults:
        raise NotFoundError("no such fault", where=name, hint=nearest(name, list(faults)))
    return faults[name]


def _break(lab: Lab, host: HostSpec, faults: Sequence[Fault]) -> dict[str, str]:
    fault = next((fault for fault in random.sample(faults, len(faults)) if _applies(lab, host, fault)), None)
    if fault is None:
        raise FactoryError(f"has no {faults[0].needs} to break", where=host.name, hint="run the baseline first")
    for command in fault.commands:
        finished = _ssh(lab, host, fault.user, command)
        if finished.returncode != 0:
            raise FactoryError(f"{fault.user} could not {command!r}: {last_line(finished.stderr)}", where=host.name)
    return {"host": host.name, "fault": fault.name, "user": fault.user, "summary": fault.summary}


def _applies(lab: Lab, host: HostSpec, fault: Fault) -> bool:
    finished = _ssh(lab, host, fault.user, fault.check)
    if finished.returncode == 255:
        raise FactoryError(f"{fault.user} cannot log in: {last_line(finished.stderr)}", where=host.name)
    return finished.returncode == 0


def _ssh(lab: Lab, host: HostSpec, user: str, command: str) -> subprocess.CompletedProcess[str]:
    words = [*lab.folder.keys.ssh_command(user, host.address), command]
    return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
