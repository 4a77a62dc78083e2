"""A tiny project for one behaviour: products with a few tasks, and hosts that are this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from bedplate.content import Content, find_content
from bedplate.execution.executor import RunEnd, RunObserver, StopControl
from bedplate.launch import Launcher, LaunchRequest, PreparedRun
from bedplate.runs import Event, EventQuery, Run, RunRepository
from bedplate.settings import Settings
from bedplate.store import open_store

ROOT = Path(__file__).parents[2]
EXIT_CODES = {
    RunEnd.DONE: 0,
    RunEnd.UNREACHABLE: 4,
    RunEnd.FAILED: 5,
    RunEnd.CANCELED: 8,
    RunEnd.BROKEN: 9,
    RunEnd.REFUSED: 3,
}
BEDPLATE = str(Path(sys.executable).with_name("bedplate"))


class Project:
    """Content, inventory and state folder of its own.

    Args:
        hosts: how many local hosts there are, `h1` and so on.
    """

    def __init__(self, folder: Path, hosts: int = 2) -> None:
        self.folder = folder
        self.root = folder / "content"
        self.home = folder / "home"
        self.inventory = folder / "inventory"
        self._write_content()
        self.write_inventory({f"h{number}": {} for number in range(1, hosts + 1)})

    @cached_property
    def content(self) -> Content:
        return find_content(self.root)

    @cached_property
    def settings(self) -> Settings:
        return Settings(self.home)

    @cached_property
    def store(self) -> RunRepository:
        return open_store(self.settings)

    @cached_property
    def launcher(self) -> Launcher:
        return Launcher(self.content, self.settings, self.inventory, self.store, EXIT_CODES)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `bedplate` works on this project."""
        return {**os.environ, "BEDPLATE_HOME": str(self.home), "BEDPLATE_CONTENT_PATH": str(self.root)}

    def write_inventory(self, hosts: Mapping[str, Mapping[str, Any]], **group_vars: Any) -> None:
        """Write the inventory; hosts are this machine unless their variables say otherwise."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        self.inventory.mkdir(exist_ok=True)
        document = {"all": {"vars": {**local, **group_vars}, "hosts": {name: dict(own) for name, own in hosts.items()}}}
        _dump(self.inventory / "hosts.yml", document)

    def product(self, name: str, tasks: Sequence[Any], *, play: Mapping[str, Any] | None = None, **keys: Any) -> None:
        """Write a product; `tasks` are lines of Ansible, `keys` go into its manifest."""
        plays = [{"name": "Play", "hosts": "all", "gather_facts": False, **(play or {}), "tasks": list(tasks)}]
        _dump(self.root / "playbooks" / f"{name}.yml", plays)
        manifest = {
            "name": name,
            "title": name,
            "summary": "A fixture.",
            "owner": {"team": "tests", "contact": "tests@example.com"},
            "lifecycle": {"stage": "ga"},
            "playbook": f"playbooks/{name}.yml",
            **keys,
        }
        _dump(self.root / "playbooks" / "products" / f"{name}.yml", manifest)

    def prepare(self, product: str, **request: Any) -> PreparedRun:
        """Check and accept an order."""
        prepared = self.launcher.prepare(LaunchRequest(product, **request))
        return replace(prepared, run=self.launcher.accept(prepared))

    def run(
        self, product: str, *, observers: Sequence[RunObserver] = (), control: StopControl | None = None, **request: Any
    ) -> Run:
        """Execute an order to its end and return the run as it is in the store."""
        ended = self.launcher.execute(self.prepare(product, **request), observers, control)
        return self.store.get(ended.id)

    def events(self, run: Run, *kinds: str) -> list[Event]:
        """Return the events of a run that the store has."""
        return list(self.store.events(run.id, EventQuery(kinds=kinds)))

    def log(self, run: Run) -> str:
        assert run.folder is not None
        return (run.folder / "stdout.log").read_text(encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `bedplate` as a process of its own."""
        return subprocess.Popen(
            [BEDPLATE, "-i", str(self.inventory), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def bedplate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `bedplate` to its end."""
        return subprocess.run(
            [BEDPLATE, "-i", str(self.inventory), *arguments],
            env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def document(self, *arguments: str) -> Any:
        """Return what `bedplate … -o json` says."""
        done = self.bedplate(*arguments, "-o", "json")
        return json.loads(done.stdout)

    def _write_content(self) -> None:
        (self.root / "playbooks" / "products").mkdir(parents=True)
        (self.root / "roles").mkdir()
        for name in ("galaxy.yml", "plugins"):
            (self.root / name).symlink_to(ROOT / name)
        space = self.root / "collections" / "ansible_collections" / "bedplate"
        space.mkdir(parents=True)
        (space / "datacenter").symlink_to(self.root)


def task(name: str, action: str, /, *, arguments: Any = None, **keywords: Any) -> dict[str, Any]:
    """Return one task."""
    return {"name": name, action if "." in action else f"ansible.builtin.{action}": arguments, **keywords}


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
    """Return what the condition returns as soon as that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def processes_with(text: str) -> list[int]:
    """Return the processes that have a text in their command line, other than this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if text.encode() in command and state not in "ZX":
                found.append(int(entry.name))
    return found


def files_with(texts: Sequence[bytes], *folders: Path) -> list[str]:
    """Return the files below folders that contain one of the texts."""
    return [
        f"{file}: {text!r}"
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink()
        for text in texts
        if text in file.read_bytes()
    ]


def _dump(file: Path, document: Any) -> None:
    file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
