"""What every command gets: the settings, the content, the store, each made when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import click

from bedplate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from bedplate.commands.viewing import Viewer
    from bedplate.content import Content
    from bedplate.drift.repository import DriftRepository
    from bedplate.drift.seals import SealRepository
    from bedplate.launch import Launcher
    from bedplate.runs import RunRepository
    from bedplate.settings import Settings


class App:
    """The state of one invocation of `bedplate`.

    Args:
        inventory: what `--inventory` gave, if it was given.
        debug: show tracebacks.
    """

    def __init__(self, inventory: str | None = None, *, debug: bool = False) -> None:
        self.debug = debug
        self._inventory = inventory

    @cached_property
    def settings(self) -> Settings:
        from bedplate.settings import load_settings, override

        settings = load_settings()
        if self._inventory is not None and not self._inventory.strip():
            raise UsageError("the inventory is empty", where="--inventory", hint="it names a folder or file")
        return override(settings, "inventory", path=self._inventory) if self._inventory else settings

    @cached_property
    def content(self) -> Content:
        from pathlib import Path

        from bedplate.content import find_content

        path = self.settings.content.path
        return find_content(Path(path) if path else None)

    @cached_property
    def inventory(self) -> Path:
        """The inventory folder or file: what was asked for, else the lab's."""
        from pathlib import Path

        path = self.settings.inventory.path
        return Path(path).expanduser().absolute() if path else self.content.inventories / "lab"

    @cached_property
    def viewer(self) -> Viewer:
        """Says which products are to be shown."""
        from bedplate.commands.viewing import Viewer

        return Viewer(self.settings)

    @cached_property
    def store(self) -> RunRepository:
        from bedplate.store import open_store

        return open_store(self.settings)

    @cached_property
    def drift(self) -> DriftRepository:
        from bedplate.store import open_drift

        return open_drift(self.settings)

    @cached_property
    def seals(self) -> SealRepository:
        from bedplate.store import open_seals

        return open_seals(self.settings)

    @cached_property
    def launcher(self) -> Launcher:
        return self.new_launcher()

    def new_launcher(self) -> Launcher:
        """Return a launcher that has asked nothing yet."""
        from bedplate.commands.run_ends import EXIT_CODES
        from bedplate.launch import Launcher

        return Launcher(self.content, self.settings, self.inventory, self.store, EXIT_CODES, tell=_tell)

    def recover(self) -> None:
        """Store what could not be stored before, and close runs whose process died; tell of both."""
        recovery = self.launcher.recover()
        for run_id in recovery.saved:
            click.echo(f"bedplate: run {run_id}: events that were kept aside are in the store now", err=True)
        for run_id in recovery.expired:
            click.echo(f"bedplate: run {run_id} has expired: its process died", err=True)


def _tell(sentence: str) -> None:
    click.echo(f"bedplate: {sentence}", err=True)


pass_app = click.make_pass_decorator(App, ensure=True)
