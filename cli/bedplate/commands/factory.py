"""Running the host factory as a process: its progress shown, its errors turned into Bedplate's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from bedplate.commands.context import App
from bedplate.commands.output import console
from bedplate.errors import BedplateError, LabError, NotFoundError, UsageError

if TYPE_CHECKING:
    from rich.status import Status

_ERRORS: dict[str, type[BedplateError]] = {"usage": UsageError, "not_found": NotFoundError, "lab": LabError}


class Factory:
    """The host factory of the content that this invocation uses, with the lab in this state folder."""

    def __init__(self, app: App) -> None:
        folder = str(app.settings.lab_folder)
        self._command = [sys.executable, "-I", str(app.content.lab / "factory"), "--json", "--folder", folder]

    def run(self, *arguments: str, show: bool = False) -> dict[str, Any]:
        """Run one factory command and return its answer.

        Args:
            arguments: the factory's verb and options.
            show: show progress while it works.

        Raises:
            LabError: podman, an image or a host failed, or the factory itself did.
            UsageError: an option or the fleet is wrong.
            NotFoundError: an unknown host or fault was named.
        """
        with subprocess.Popen([*self._command, *arguments], stdout=subprocess.PIPE, text=True) as process:
            try:
                answer = self._follow(process, show=show)
            except KeyboardInterrupt:
                process.terminate()  # it cleans up what is half made
                raise
        if answer is None:
            raise LabError(f"the host factory ended with code {process.returncode} and no answer")
        return answer

    def _follow(self, process: subprocess.Popen[str], *, show: bool) -> dict[str, Any] | None:
        answer: dict[str, Any] | None = None
        with _shown(show=show) as progress:
            for line in process.stdout or ():
                event = json.loads(line)
                if event["event"] == "error":
                    raise _ERRORS[event["kind"]](event["message"], where=event["where"], hint=event["hint"])
                if event["event"] == "result":
                    answer = event["result"]
                else:
                    progress.step(event["subject"], event["text"], done=event["done"])
        return answer


class _Progress(Protocol):
    def step(self, subject: str, text: str, *, done: bool) -> None: ...


class _Silent:
    def step(self, subject: str, text: str, *, done: bool) -> None:
        """Show nothing."""


class _Lines:
    def step(self, subject: str, text: str, *, done: bool) -> None:  # noqa: ARG002 (one line either way)
        click.echo(f"{subject}: {text}")


class _Spinner:
    """What is done stays as a line; what is under way is on one line that moves."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._under_way: dict[str, str] = {}

    def step(self, subject: str, text: str, *, done: bool) -> None:
        if done:
            self._under_way.pop(subject, None)
            self._status.console.print(f"[green]✓[/] {subject}: {text}")
        else:
            self._under_way[subject] = text
        self._status.update("; ".join(f"{name}: {what}" for name, what in self._under_way.items()) or "working")


@contextmanager
def _shown(*, show: bool) -> Iterator[_Progress]:
    out = console()
    if not show:
        yield _Silent()
    elif not out.is_terminal:
        yield _Lines()
    else:
        with out.status("working") as status:
            yield _Spinner(status)
