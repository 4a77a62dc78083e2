"""`bedplate inventory keys`: host keys are enrolled on purpose, never on first sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bedplate.commands.completing import complete_host, complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import console, emit, output_option
from bedplate.errors import UsageError

if TYPE_CHECKING:
    from bedplate.execution.inventory_enrolment import Enrolment, HostKeys

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _file_option(command: _Command) -> _Command:
    option = click.option(
        "--known-hosts",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File of keys (default: what the inventory's ssh arguments name, else known_hosts in the state folder).",
    )
    return option(command)


@click.group()
def keys() -> None:
    """Host keys: scan shows and enrols them, list shows what is known, rotate replaces a changed one.

    Example: bedplate inventory keys scan --limit site_fra1
    """


@keys.command()
@click.option(
    "--limit", metavar="PATTERN", help="Only these hosts, as ansible's --limit.", shell_complete=complete_limit
)
@_file_option
@click.option("--yes", is_flag=True, help="Write new keys without asking.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Seconds for a host.")
@output_option
@pass_app
def scan(app: App, *, limit: str | None, known_hosts: Path | None, yes: bool, timeout: float, output: str) -> ExitCode:
    """Ask hosts for their keys, show the fingerprints, and write down the new ones after asking.

    Compare the fingerprints with what `ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub` says on a host's console. A
    key that is not the one that is known is refused; `rotate` replaces it.

    With -o json or yaml nothing is written unless --yes is there.

    Exit codes: 0 done, 3 a key has changed, 4 a host could not be reached, 8 you said no.

    Example: bedplate inventory keys scan --limit site_fra1 --yes
    """
    enrolment = _enrolment(app, limit, known_hosts)
    found = _scanned(enrolment, timeout)
    new = [host for host in found if host.new]
    asked = output == "table"  # json and yaml only look, unless --yes is there
    if asked:
        _show(found)
    written = bool(new) and (yes or (asked and click.confirm(f"Trust the new keys of {_hosts(new)} in future?")))
    if written:
        enrolment.enrol(new)
    emit(_document(enrolment, found, written=written), output, lambda _: _told(enrolment, found, written=written))
    if any(host.conflicts for host in found):
        return ExitCode.REFUSED
    if new and asked and not written:
        return ExitCode.CANCELED
    return ExitCode.UNREACHABLE if any(host.error for host in found) else ExitCode.DONE


@keys.command("list")
@click.option(
    "--limit", metavar="PATTERN", help="Only these hosts, as ansible's --limit.", shell_complete=complete_limit
)
@_file_option
@output_option
@pass_app
def list_keys(app: App, *, limit: str | None, known_hosts: Path | None, output: str) -> None:
    """List the keys that are known for the inventory's hosts; no host is asked.

    Example: bedplate inventory keys list -o json
    """
    enrolment = _enrolment(app, limit, known_hosts)
    found = enrolment.known()
    emit(_document(enrolment, found, written=False), output, lambda _: _show(found))


@keys.command()
@click.argument("name", metavar="HOST", shell_complete=complete_host)
@_file_option
@click.option("--yes", is_flag=True, help="Replace without asking.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=10.0, show_default=True, help="Seconds to wait.")
@output_option
@pass_app
def rotate(app: App, *, name: str, known_hosts: Path | None, yes: bool, timeout: float, output: str) -> ExitCode:
    """Forget the keys that are known for HOST and trust those that it shows now, after asking.

    Exit codes: 0 done, 4 the host could not be reached (its known keys stay), 8 you said no.

    Example: bedplate inventory keys rotate fra1-colo-01
    """
    enrolment = _enrolment(app, name, known_hosts)
    (host,) = _scanned(enrolment, timeout)
    if output == "table":
        _show([host])
    changes = set(host.known) != set(host.shown) and not host.error
    if changes and not yes:
        if output != "table":
            raise UsageError("keys are replaced only after asking", hint="add --yes, or use -o table")
        click.confirm(f"Forget the old keys of {name} and trust those that it shows?", abort=True)
    if changes:
        enrolment.replace(host)
    emit(_document(enrolment, [host], written=changes), output, lambda _: _told(enrolment, [host], written=changes))
    return ExitCode.UNREACHABLE if host.error else ExitCode.DONE


def _enrolment(app: App, limit: str | None, known_hosts: Path | None) -> Enrolment:
    from bedplate.commands.inventory_opening import open_inventory
    from bedplate.execution.inventory_enrolment import Enrolment

    adapter = open_inventory(app)
    return Enrolment(adapter, adapter.resolve(limit), known_hosts)


def _scanned(enrolment: Enrolment, timeout: float) -> list[HostKeys]:
    screen = console(stderr=True)
    with screen.status(f"asking {len(enrolment.plans)} hosts for their keys"):
        return enrolment.scan(timeout)


def _show(found: Sequence[HostKeys]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("HOST", "ADDRESS", "KEY", "FINGERPRINT", "STATE"):
        table.add_column(title, no_wrap=title == "HOST", overflow="fold")
    for host in found:
        for key, state in host.rows():
            table.add_row(host.host, host.key_name, key.type, key.fingerprint, state)
        if host.error:
            table.add_row(host.host, host.key_name, "-", "-", host.error)
        elif not host.rows():
            table.add_row(host.host, host.key_name, "-", "-", "no key is known")
    console().print(table)


def _told(enrolment: Enrolment, found: Sequence[HostKeys], *, written: bool) -> None:
    screen = console()
    if written:
        screen.print(f"written to {enrolment.file}", soft_wrap=True, markup=False)
        if not enrolment.is_used_by_ssh:
            option = f"ansible_ssh_common_args: -o UserKnownHostsFile={enrolment.file}"
            screen.print(f"runs do not look there; say so in the inventory: {option}", soft_wrap=True)
    elif not any(host.new or host.conflicts for host in found):
        screen.print("no new keys", style="dim")
    changed = [host.host for host in found if host.conflicts]
    if changed and not written:
        names = ", ".join(changed)
        hint = f"if that was on purpose: bedplate inventory keys rotate {changed[0]}"
        screen.print(f"another key than the known one: {names}; {hint}", style="red", soft_wrap=True, markup=False)


def _document(enrolment: Enrolment, found: Sequence[HostKeys], *, written: bool) -> dict[str, Any]:
    return {
        "schema": 1,
        "inventory": str(enrolment.inventory),
        "known_hosts": str(enrolment.file),
        "written": written,
        "hosts": [
            {
                "host": host.host,
                "key_name": host.key_name,
                "keys": [
                    {"type": key.type, "fingerprint": key.fingerprint, "state": state} for key, state in host.rows()
                ],
                "error": host.error or None,
            }
            for host in found
        ],
    }


def _hosts(found: Sequence[HostKeys]) -> str:
    return found[0].host if len(found) == 1 else f"{len(found)} hosts"
