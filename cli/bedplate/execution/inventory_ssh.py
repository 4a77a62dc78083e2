"""What the ssh client would do for a host: `ssh -G` is asked, so that its own configuration counts too."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bedplate.errors import EngineError, InventoryError
from bedplate.execution.host_keys import own_known_hosts
from bedplate.execution.inventory_answers import Connection
from bedplate.settings import Settings

_KNOWN_HOSTS = "userknownhostsfile"


@dataclass(frozen=True)
class SshPlan:
    """How the ssh client would reach a host.

    Attributes:
        key_name: what the host's key is kept under in known_hosts files.
        known_hosts: the files that ssh looks into, the first one first.
        named_known_hosts: the first of the files that the inventory or the settings name themselves, if they do.
        proxy: command whose standard input and output are the connection; empty for a direct one.
    """

    host: str
    address: str
    port: int
    key_name: str
    known_hosts: tuple[Path, ...]
    named_known_hosts: Path | None = None
    proxy: str = ""


def plan_ssh(connection: Connection, settings: Settings) -> SshPlan:
    """Return how ssh would reach a host.

    Raises:
        EngineError: there is no ssh client.
        InventoryError: the inventory's ssh arguments are not valid.
    """
    program = shutil.which("ssh")
    if program is None:
        raise EngineError("the ssh client is not installed", hint="apt install openssh-client")
    arguments = _arguments(connection, settings)
    user = ["-l", connection.user] if connection.user else []
    command = [program, "-G", *arguments, "-p", str(connection.port), *user, "--", connection.address]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
        raise InventoryError(
            f"ssh does not take its arguments: {said[-1]}",
            where=connection.host,
            hint="look at ansible_ssh_common_args and ansible_ssh_args",
        )
    answers = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    return _plan(connection, answers, arguments, own_known_hosts(settings.home))


def _arguments(connection: Connection, settings: Settings) -> list[str]:
    try:
        return shlex.split(f"{connection.ssh_arguments} {settings.execution.ssh_common_args}")
    except ValueError as error:
        raise InventoryError(f"has ssh arguments that do not parse: {error}", where=connection.host) from error


def _plan(connection: Connection, answers: dict[str, str], arguments: list[str], own: Path) -> SshPlan:
    address = answers.get("hostname", connection.address)
    port = int(answers.get("port", connection.port))
    name = answers.get("hostkeyalias") or (address if port == 22 else f"[{address}]:{port}")
    files = shlex.split(answers.get(_KNOWN_HOSTS, "")) + shlex.split(answers.get("globalknownhostsfile", ""))
    known = tuple(Path(file).expanduser() for file in files if file != "none")
    named = any(argument.lower().removeprefix("-o").startswith(_KNOWN_HOSTS) for argument in arguments)
    return SshPlan(
        host=connection.host,
        address=address,
        port=port,
        key_name=name,
        known_hosts=(*known, own),
        named_known_hosts=known[0] if named and known else None,
        proxy=_proxy(answers, address, port, connection.user),
    )


def _proxy(answers: dict[str, str], address: str, port: int, user: str) -> str:
    command = answers.get("proxycommand", "none")
    if command != "none":
        for mark, value in (("%h", address), ("%p", str(port)), ("%r", user), ("%n", address), ("%%", "%")):
            command = command.replace(mark, value)
        return command
    jump = answers.get("proxyjump", "none")
    if jump == "none":
        return ""
    *before, last = jump.split(",")
    hops = ["-J", ",".join(before)] if before else []
    return shlex.join(["ssh", "-o", "BatchMode=yes", *hops, "-W", f"[{address}]:{port}", _jump_target(last)])


def _jump_target(jump: str) -> str:
    return jump if jump.startswith("ssh://") else f"ssh://{jump}"
