"""Taking seals, and checking hosts against them.

For the command line and the nightly check:

    look(launcher, run_id) -> Sealing              after a converge that ended well, and for `bedplate drift seal`
    take_seals(launcher, run_id) -> Taken          the same, all at once
    fast_check(launcher, seals, …) -> Checked      `bedplate drift check`: a HostCheck for each host

Neither writes to the store, beyond the tracked run that looks at the hosts. A seal travels as text, about 30 kB a host,
signed with the key of `seal_key`; texts of files as compressed bytes by the digest of their content. Keep both, and
give them back; `seals` may be any mapping that reads them one by one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bedplate.drift.capture import CaptureError
from bedplate.drift.comparison import Policy
from bedplate.drift.managing import hosts_to_seal, seal_from_run
from bedplate.drift.observation import HostCheck
from bedplate.drift.seal import Intent, Seal, SealError, request_for, texts_of, verify
from bedplate.errors import EngineError
from bedplate.execution.digest import content_digest, content_version
from bedplate.execution.files import make_private
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import write_private
from bedplate.launch.capturing import Captures, Execute, capture
from bedplate.launch.comparing import Comparing, no_texts, request_of, unknown
from bedplate.launch.launcher import Launcher
from bedplate.launch.portions import over_all
from bedplate.runs import Run

NO_SEAL = "there is no seal of it: bedplate drift seal takes one"
_KEY_FILE = "seal.key"
_KEY_BYTES = 32
_OBSERVERS = "role_observer"
# How Ansible comes in is no part of what a host is meant to be. Its address and port are: others are told of them.
_WAYS_IN = (
    "ansible_become", "ansible_connection", "ansible_private_key_file", "ansible_python_interpreter", "ansible_ssh_",
    "ansible_user",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """Seals that were taken.

    Attributes:
        run: the run that looked at the hosts; None where there was none to look at.
        seals: by host, as `Seal.to_text` wrote them.
        texts: compressed, by the digest of their content.
        failures: by host that could not be sealed, why.
    """

    run: Run | None
    seals: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """What a fast check came to.

    Attributes:
        run: the run that looked; None where there was no host to look at.
        checks: one for each host that was asked for, in that order.
    """

    run: Run | None
    checks: Sequence[HostCheck]


@dataclass(frozen=True)
class Sealing:
    """A look at hosts of which seals are made, one by one: a whole fleet's would not fit into memory.

    Attributes:
        of: the run that brought the hosts to their state.
        run: the run that looked at them; None where there was none to look at.
        failures: by host that could not be sealed, why; complete once all seals were asked for.
    """

    launcher: Launcher
    of: Run
    hosts: Sequence[str]
    looked: Captures | None
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> Run | None:
        return self.looked.run if self.looked else None

    def seals(self) -> Iterator[Seal]:
        """Yield the seals of the hosts that answered, once. Raises StoreError, InventoryError."""
        if self.looked is None:
            return
        meant = intents(self.launcher.adapter, self.hosts, self.of.content_digest)
        for host in self.hosts:
            try:
                found = self.looked.of(host)
            except CaptureError as error:
                self.failures[host] = str(error)
                continue
            managed = seal_from_run(self.launcher.store, self.of.id, host)
            yield Seal(host, datetime.now(UTC), meant[host], found, managed, self.of.id)
        self.looked.discard()


def look(
    launcher: Launcher,
    run_id: str,
    hosts: Iterable[str] | None = None,
    *,
    execute: Execute | None = None,
) -> Sealing:
    """Look at the hosts that a run brought to their state, in order to seal them.

    Args:
        run_id: a run that applied a product, not one in check mode.
        hosts: only these.
        execute: executes the run that looks: see `capture`.

    Raises:
        StoreError, NotFoundError: the run cannot be read.
        InventoryError, EngineError: the hosts cannot be looked at.
    """
    run = launcher.store.get(run_id)
    right = hosts_to_seal(launcher.store, run.id)
    wanted = right if hosts is None else [host for host in hosts if host in set(right)]
    if not wanted:
        return Sealing(launcher, run, (), None)

    requests = (request_for(seal_from_run(launcher.store, run.id, host).resources) for host in wanted)
    looked = capture(launcher, wanted, requests, reason=f"seals of run {run.id}", execute=execute)
    return Sealing(launcher, run, wanted, looked)


def take_seals(launcher: Launcher, run_id: str, hosts: Iterable[str] | None = None) -> Taken:
    """Seal the hosts that a run brought to their state; raises as `look` does."""
    sealing = look(launcher, run_id, hosts)
    key = seal_key(launcher.settings.home)
    seals: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    for seal in sealing.seals():
        seals[seal.host] = seal.to_text(key)
        texts.update(texts_of(seal.capture))
    return Taken(sealing.run, seals, texts, sealing.failures)


def fast_check(
    launcher: Launcher,
    hosts: Sequence[str],
    seals: Mapping[str, str],
    *,
    texts: Callable[[Iterable[str]], Mapping[str, bytes]] | None = None,
    policy: Policy | None = None,
    execute: Execute | None = None,
) -> Checked:
    """Check hosts against their seals, in one round trip each.

    Args:
        hosts: inventory names. One without a seal is unknown.
        seals: by host, what `Seal.to_text` wrote.
        texts: asked, for a host with changed texts, for those of these digests, as `Taken.texts` had them.
        execute: executes the run that looks: see `capture`.

    Raises:
        InventoryError, StoreError, EngineError, RefusedError: the hosts cannot be looked at.
    """
    key = seal_key(launcher.settings.home)
    untrusted = {host: reason for host in hosts if (reason := _distrust(host, seals, key))}
    sealed = [host for host in hosts if host not in untrusted]
    checks = {host: unknown(host, reason) for host, reason in untrusted.items()}
    if not sealed:
        return Checked(None, [checks[host] for host in hosts])

    # Each seal is opened twice, and is not kept in between: a whole fleet's would not fit into memory.
    more = {"facts": launcher.settings.drift.record}
    ask = partial(request_of, key, datetime.now(UTC).date(), more)
    requests = over_all(ask, ((host, seals[host]) for host in sealed), len(sealed))
    looked = capture(launcher, sealed, requests, reason="drift check", execute=execute)
    meant = intents(launcher.adapter, sealed, content_digest(launcher.content))
    comparing = Comparing(looked.without_hosts(), key, policy)
    judged = over_all(comparing.check, ((host, seals[host], meant[host]) for host in sealed), len(sealed))
    for host, check in zip(sealed, judged, strict=True):
        checks[host] = check or comparing.with_texts((host, seals[host], meant[host]), texts or no_texts)
    looked.discard()
    return Checked(looked.run, [checks[host] for host in hosts])


def _distrust(host: str, seals: Mapping[str, str], key: bytes) -> str | None:
    """Return why there is nothing to compare a host with; None if there is."""
    if host not in seals:
        return NO_SEAL
    try:
        verify(seals[host], host, key)
    except SealError as error:
        return str(error)
    return None


def intents(adapter: InventoryAdapter, hosts: Iterable[str], content: str) -> dict[str, Intent]:
    """Return what each host is meant to be: by the content, and by what the inventory says of it and of observers.

    The content's version is part of the second: a host has it written down, and no digest of the content tells of it.
    An observer knows of all hosts, so all of them are part of what it is meant to be, told apart from the rest: it can
    learn of them alone.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    observers = observers_of(adapter)
    own = {host: _digest(lasting(adapter.host(host))) for host in adapter.names.hosts}
    of_observers = _digest({host: own[host] for host in observers})
    of_all = _digest(own)
    version = content_version(adapter.content)
    return {
        host: Intent(content, _digest([version, own[host], of_observers]), of_all if host in observers else "")
        for host in hosts
    }


def observers_of(adapter: InventoryAdapter) -> set[str]:
    """Return the hosts that others are bound to, by what the inventory says of them. Raises InventoryError."""
    names = adapter.names
    return set(names.below(_OBSERVERS).hosts) if _OBSERVERS in names.groups else set()


def seal_key(home: Path) -> bytes:
    """Return the key that signs seals: a private file of the state folder, made when it is first needed.

    Raises:
        EngineError: it cannot be read or made, or others may read it.
    """
    file = make_private(home) / _KEY_FILE
    if not file.exists():
        new = file.with_name(f".{_KEY_FILE}.{os.getpid()}")
        try:
            write_private(new, secrets.token_bytes(_KEY_BYTES))
            with contextlib.suppress(FileExistsError):  # another process was first
                file.hardlink_to(new)
            new.unlink()
        except OSError as error:
            raise EngineError(f"cannot be made: {error.strerror}", where=str(file)) from error
    return _read_key(file)


def _read_key(file: Path) -> bytes:
    try:
        mode, key = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise EngineError(f"cannot be read: {error.strerror}", where=str(file)) from error
    if mode & 0o077:
        raise EngineError("others may read the key that signs seals", where=str(file), hint=f"chmod 600 {file}")
    if len(key) < _KEY_BYTES:
        raise EngineError(
            "the key that signs seals is cut off", where=str(file), hint="remove it, and take the seals anew"
        )
    return key


def lasting(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what variables say of a host, without how Ansible comes in."""
    return {name: value for name, value in variables.items() if not name.startswith(_WAYS_IN)}


def _digest(value: Any) -> str:  # noqa: ANN401
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
