"""Whether a host answers: TCP, the SSH banner and its host key. Nobody logs in."""

from __future__ import annotations

import logging
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bedplate.execution.inventory_known_hosts import HostKey, KnownHosts
from bedplate.execution.inventory_ssh import SshPlan

if TYPE_CHECKING:
    import paramiko

# One handshake yields one key: in the order in which ssh prefers them.
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class Reach(StrEnum):
    """How far one gets with a host: the first step that fails, or `ssh`."""

    SSH = "ssh"
    NO_NAME = "no_name"
    NO_TCP = "no_tcp"
    NO_SSH = "no_ssh"


class KeyTrust(StrEnum):
    """What the known_hosts files say of the key that a host showed."""

    MATCH = "match"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True)
class Probe:
    """What a host answered.

    Attributes:
        banner: the version that its SSH server says it is.
        keys: the host keys that it showed.
        error: why it cannot be reached, in a few words.
    """

    plan: SshPlan
    reach: Reach
    banner: str = ""
    keys: tuple[HostKey, ...] = ()
    error: str = ""


def probe(plan: SshPlan, timeout: float, types: Sequence[str] = KEY_TYPES, *, all_types: bool = False) -> Probe:
    """Ask a host for its banner and its key.

    Args:
        timeout: seconds for each step.
        types: key types to ask for, best first.
        all_types: ask for a key of each type, not only for the first that the host has.
    """
    banner, keys = "", []
    for kind in types:
        try:
            stream = _connect(plan, timeout)
        except OSError as failure:
            reach = Reach.NO_NAME if isinstance(failure, socket.gaierror) else Reach.NO_TCP
            return Probe(plan, reach, error=_words(failure))
        answer = _handshake(stream, kind, timeout)
        if answer.lacks_exchange:
            answer = _asked_by_client(plan, kind, timeout, answer.banner)
        banner = answer.banner or banner
        if answer.key is not None:
            keys.append(answer.key)
        elif not answer.lacks_type:
            return Probe(plan, Reach.NO_SSH, banner, error=answer.error)
        if keys and not all_types:
            break
    if not keys:
        return Probe(plan, Reach.NO_SSH, banner, error=f"has no host key of {', '.join(types)}")
    return Probe(plan, Reach.SSH, banner, tuple(keys))


def trust(plan: SshPlan, keys: Sequence[HostKey], files: Sequence[KnownHosts]) -> KeyTrust:
    """Return what known_hosts files say of the keys that a host showed."""
    if not keys:
        return KeyTrust.NOT_SEEN
    if any(key in file.revoked(plan.key_name) for file in files for key in keys):
        return KeyTrust.REVOKED
    known = [key for file in files for key in file.keys(plan.key_name)]
    if not known:
        return KeyTrust.UNKNOWN
    types = {key.type for key in known}
    shown = [key for key in keys if key.type in types] or keys
    return KeyTrust.MATCH if all(key in known for key in shown) else KeyTrust.CHANGED


def known_types(plan: SshPlan, files: Sequence[KnownHosts]) -> tuple[str, ...]:
    """Return the key types to ask for: those that are known for the host first, as ssh does."""
    known = [key.type for file in files for key in file.keys(plan.key_name)]
    return tuple(dict.fromkeys([kind for kind in known if kind in KEY_TYPES] + list(KEY_TYPES)))


def in_parallel(
    plans: Sequence[SshPlan], ask: Callable[[SshPlan], Probe], done: Callable[[Probe], None] = lambda _: None
) -> list[Probe]:
    """Probe many hosts at a time and return the answers in the plans' order; `done` hears of each as it comes."""
    answers: dict[str, Probe] = {}
    with _quiet(), ThreadPoolExecutor(min(32, max(1, len(plans)))) as workers:
        for future in as_completed([workers.submit(ask, plan) for plan in plans]):
            answer = future.result()
            answers[answer.plan.host] = answer
            done(answer)
    return [answers[plan.host] for plan in plans]


@dataclass(frozen=True)
class _Handshake:
    """What came of one handshake.

    Attributes:
        lacks_type: the host has no key of the type asked for.
        lacks_exchange: it takes none of paramiko's key exchanges.
    """

    banner: str = ""
    key: HostKey | None = None
    lacks_type: bool = False
    lacks_exchange: bool = False
    error: str = ""


def _connect(plan: SshPlan, timeout: float) -> socket.socket | paramiko.ProxyCommand:
    import paramiko  # noqa: PLC0415 (start-up time)

    if plan.proxy:
        return paramiko.ProxyCommand(plan.proxy)
    return socket.create_connection((plan.address, plan.port), timeout)


def _handshake(stream: socket.socket | paramiko.ProxyCommand, kind: str, timeout: float) -> _Handshake:
    import paramiko  # noqa: PLC0415

    transport = paramiko.Transport(stream)
    transport.banner_timeout = timeout
    try:
        transport.get_security_options().key_types = _ALGORITHMS.get(kind, (kind,))
        transport.start_client(timeout=timeout)
        key = transport.get_remote_server_key()
        return _Handshake(transport.remote_version, HostKey(key.get_name(), key.get_base64()))
    except paramiko.ssh_exception.IncompatiblePeer as failure:
        # The two have no exception of their own.
        lacks_exchange = "kex" in str(failure)
        return _Handshake(transport.remote_version, lacks_type=not lacks_exchange, lacks_exchange=lacks_exchange)
    except (paramiko.SSHException, EOFError, OSError) as failure:
        return _Handshake(transport.remote_version, error=_words(failure))
    finally:
        transport.close()


def _asked_by_client(plan: SshPlan, kind: str, timeout: float, banner: str) -> _Handshake:
    """Have the ssh client ask: of the exchanges that withstand quantum computers it has more than paramiko."""
    with TemporaryDirectory() as folder:
        seen = Path(folder) / "known_hosts"
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(max(1, round(timeout))),
            "GlobalKnownHostsFile": "/dev/null",
            "HostKeyAlgorithms": ",".join(_ALGORITHMS.get(kind, (kind,))),
            "PreferredAuthentications": "none",
            # What it accepts goes to a file of its own, and nothing is sent to the host after that.
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f'"{seen}"',
            **({"ProxyCommand": plan.proxy.replace("%", "%%")} if plan.proxy else {}),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command = ["ssh", "-F", "none", "-n", "-T", *words, "-p", str(plan.port), "--", plan.address, "exit"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        entries = KnownHosts(seen).entries
    if entries:
        return _Handshake(banner, entries[0].key)
    said = done.stderr.strip().splitlines() or ["ssh saw no host key"]
    return _Handshake(banner, lacks_type="no matching host key type" in done.stderr, error=said[-1])


def _words(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "no answer in time"
    if isinstance(failure, EOFError):
        return "the connection was closed during the handshake"
    text = (failure.strerror if isinstance(failure, OSError) else "") or str(failure)
    return text.strip().splitlines()[0] if text.strip() else type(failure).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    log = logging.getLogger("paramiko.transport")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)  # its threads print tracebacks for what is an answer here
    try:
        yield
    finally:
        log.setLevel(before)
