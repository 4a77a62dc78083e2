"""What `bedplate doctor` looks at, one function a thing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bedplate.commands.context import App
from bedplate.commands.exits import ExitCode
from bedplate.commands.inventory_documents import age_text
from bedplate.commands.inventory_opening import open_inventory
from bedplate.errors import BedplateError, EngineError, InventoryError, SettingsError, UsageError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import private_folder

_PYTHON = (3, 11)
_PACKAGES = {"ansible-core": ((2, 19), (2, 22)), "ansible-runner": ((2, 4), (3, 0))}
_FREE_LOW, _FREE_NONE = 1_000_000_000, 50_000_000


class State(StrEnum):
    """How a check ended; `warning` does not keep a run from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        code: the exit code that stands for it when it failed.
        hint: what to do, where something is wrong.
    """

    group: str
    name: str
    state: State
    detail: str
    hint: str = ""
    code: ExitCode = ExitCode.EXTERNAL


def check_programs(app: App) -> Iterator[Check]:
    """Look at Python, ansible and the ssh client."""
    del app
    found = sys.version_info[:2]
    text = f"{sys.version.split()[0]} in {sys.prefix}"
    yield _check("programs", "python", found >= _PYTHON, text, "Bedplate needs Python 3.11 or newer")
    for package, (lowest, beyond) in _PACKAGES.items():
        wanted = f"{_dotted(lowest)} or newer, below {_dotted(beyond)}"
        try:
            has = version(package)
        except PackageNotFoundError:
            yield _check("programs", package, False, "not installed", f"pip install '{package}', {wanted}")
        else:
            number = tuple(int(part) for part in has.split(".")[:2])
            yield _check("programs", package, lowest <= number < beyond, has, f"Bedplate works with {wanted}")
    yield _ssh_client()


def check_content(app: App) -> Iterator[Check]:
    """Look for the settings files and the collection."""
    try:
        sources = app.settings.sources
    except SettingsError as error:
        yield Check("settings", "settings", State.FAILED, str(error), "mend the setting", ExitCode.USAGE)
        return
    yield Check("settings", "settings", State.OK, ", ".join(sources) or "defaults, no file")
    try:
        content = app.content
    except SettingsError as error:
        yield Check("settings", "collection", State.FAILED, str(error), error.hint or "", ExitCode.USAGE)
        return
    resolved = content.collections_path / "ansible_collections" / "bedplate" / "datacenter"
    found = (resolved / "plugins").is_dir() and (resolved / "playbooks").is_dir()
    hint = "the clone's collections/ link or the installation is not whole: install again"
    yield _check("settings", "collection", found, str(content.root), hint)


def check_state(app: App) -> Iterator[Check]:
    """Look at the state folder: it can be written, others cannot read it, the disk has room."""
    home = app.settings.home
    try:
        private_folder(home)
    except OSError as error:
        hint = "BEDPLATE_HOME names a folder that you can write"
        yield Check("state", "state folder", State.FAILED, f"{home}: {error.strerror}", hint, ExitCode.USAGE)
        return
    writable = os.access(home, os.W_OK | os.X_OK)
    hint = f"chown it to yourself, or set BEDPLATE_HOME: {home}"
    yield _check("state", "state folder", writable, str(home), hint, code=ExitCode.USAGE)
    mode = home.stat().st_mode & 0o777
    if mode & 0o007:
        yield Check("state", "privacy", State.WARNING, f"mode {mode:04o}: others can look in", f"chmod 0700 {home}")
    else:
        yield Check("state", "privacy", State.OK, f"mode {mode:04o}")
    yield _free_space(home)


def check_store(app: App) -> Iterator[Check]:
    """Look whether the run store answers and has this version's schema."""
    from bedplate.store import store_status

    try:
        found = store_status(app.settings)
    except BedplateError as error:
        hint = error.hint or "look at store.url, and whether its server runs"
        code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.EXTERNAL
        yield Check("state", "store", State.FAILED, error.message, hint, code)
        return
    if found.upgrade in {"none", "create"}:
        text = "made with the first run" if found.upgrade == "create" else f"{found.runs:,} runs"
        yield Check("state", "store", State.OK, f"{found.url}: {text}")
    else:
        hint = "bedplate db upgrade" if found.upgrade == "upgrade" else "upgrade Bedplate"
        yield Check("state", "store", State.FAILED, f"{found.url}: its schema is not this version's", hint)


def check_inventory(app: App) -> Iterator[Check]:
    """Look whether ansible can read the inventory, and how old NetBox's part is."""
    try:
        adapter = open_inventory(app)
        count = len(adapter.names.hosts)
    except (InventoryError, EngineError) as error:
        where = f"{error.where}: " if error.where else ""
        hint = error.hint or "bedplate inventory list says more"
        yield Check("inventory", "inventory", State.FAILED, f"{where}{error.message}", hint, ExitCode.INVENTORY)
        return
    yield Check("inventory", "inventory", State.OK, f"{adapter.path}: {count} hosts")
    for text in adapter.warnings:
        yield Check("inventory", "warning", State.WARNING, text, "bedplate inventory check")
    yield from _snapshots(adapter, app.settings.inventory.max_age)


def _snapshots(adapter: InventoryAdapter, max_age: float) -> Iterator[Check]:
    for source in adapter.source.ours:
        try:
            found = adapter.snapshot_of(source)
        except InventoryError as error:
            yield Check("inventory", "snapshot", State.WARNING, str(error), "bedplate inventory refresh")
            continue
        age = found.age(datetime.now(UTC))
        text = f"{len(found.hosts)} hosts, {age_text(age)} old"
        if source.is_live and age > timedelta(hours=max_age):
            yield Check("inventory", "snapshot", State.WARNING, text, "bedplate inventory refresh")
        else:
            yield Check("inventory", "snapshot", State.OK, text if source.is_live else f"{text}, from a file")


def _ssh_client() -> Check:
    program = shutil.which("ssh")
    if program is None:
        return Check("programs", "ssh", State.FAILED, "not installed", "apt install openssh-client")
    done = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    return Check("programs", "ssh", State.OK, (done.stderr or done.stdout).strip())


def _free_space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free"
    hint = "make room, or set BEDPLATE_HOME to a larger disk; `bedplate runs prune` removes old runs"
    if free < _FREE_NONE:
        return Check("state", "disk", State.FAILED, text, hint)
    return Check(
        "state", "disk", State.WARNING if free < _FREE_LOW else State.OK, text, hint if free < _FREE_LOW else ""
    )


def _check(group: str, name: str, good: bool, detail: str, hint: str, *, code: ExitCode = ExitCode.EXTERNAL) -> Check:
    return Check(group, name, State.OK if good else State.FAILED, detail, "" if good else hint, code)


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)


FIRST_CHECKS: tuple[Callable[[App], Iterator[Check]], ...] = (check_programs, check_content)
STATE_CHECKS: tuple[Callable[[App], Iterator[Check]], ...] = (check_state, check_store, check_inventory)
