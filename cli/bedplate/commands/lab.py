"""`bedplate lab`: a fleet of real hosts on this machine, made by the host factory in molecule/shared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.completing import complete_lab_host
from bedplate.commands.context import App, pass_app
from bedplate.commands.factory import Factory
from bedplate.commands.output import emit, output_option

if TYPE_CHECKING:
    from rich.console import Console

_STATE_STYLES = {"running": "green", "missing": "red"}


@click.group()
def lab() -> None:
    """A fleet of real hosts on this machine: containers with systemd, reached over SSH.

    Host names and addresses come from inventories/lab. Nothing is written outside of the state folder.

    Example: bedplate lab up && bedplate run baseline
    """


@lab.command()
@click.option("--subnet", metavar="CIDR", help="A private /24, or auto, in place of the inventory's 10.213.77.0/24.")
@click.option(
    "--recreate",
    metavar="HOST",
    multiple=True,
    help="Make this host anew from its image; repeatable.",
    shell_complete=complete_lab_host,
)
@click.option(
    "--metal", is_flag=True, help="Hosts of class bare_metal as emulated machines with a kernel of their own."
)
@pass_app
def up(app: App, subnet: str | None, recreate: Sequence[str], *, metal: bool) -> None:
    """Bring the fleet up, or repair it; what is there and right stays as it is.

    The first start builds the images of the Debian releases, which takes a few minutes.
    With --metal, bare-metal hosts stay emulated machines (QEMU) until `lab down`; each takes about two minutes to boot.

    Example: bedplate lab up --recreate fra1-colo-01
    """
    arguments = ["up", "--inventory", str(app.content.inventories / "lab")]
    if subnet:
        arguments += ["--subnet", subnet]
    if metal:
        arguments.append("--metal")
    for host in recreate:
        arguments += ["--recreate", host]
    answer = Factory(app).run(*arguments, show=True)
    click.echo(f"lab: {len(answer['hosts'])} hosts are {answer['state']} in {answer['subnet']}")
    if answer.get("inventory"):
        click.echo(f"lab: the addresses are not the inventory's own; use: bedplate -i {answer['inventory']} …")


@lab.command()
@output_option
@pass_app
def status(app: App, output: str) -> None:
    """Show the hosts: address, login, state, and whether SSH answers.

    Example: bedplate lab status -o json
    """
    answer = Factory(app).run("status")
    emit(answer, output, lambda out: _draw_status(out, answer))


@lab.command("break")
@click.argument("hosts", metavar="[HOST]…", nargs=-1, shell_complete=complete_lab_host)
@click.option("--fault", metavar="NAME", help="Which fault (default: a random one for each host).")
@click.option("--list", "listing", is_flag=True, help="List the faults and stop.")
@output_option
@pass_app
def break_(app: App, hosts: Sequence[str], fault: str | None, output: str, *, listing: bool) -> None:
    """Change something on a host by hand, as a colleague would: over SSH and sudo, under the colleague's name.

    Without a host, a random one is taken.

    Example: bedplate lab break fra1-colo-01 --fault chrony-stopped
    """
    if listing:
        faults = Factory(app).run("faults")
        emit(faults, output, lambda out: _draw_faults(out, faults))
        return
    arguments = ["break", *hosts] + (["--fault", fault] if fault else [])
    answer = Factory(app).run(*arguments)
    emit(answer, output, lambda out: _draw_broken(out, answer))


@lab.command()
@click.option("--images", is_flag=True, help="Remove the images too; the next start builds them again.")
@pass_app
def down(app: App, *, images: bool) -> None:
    """Remove the hosts, their network and their files. The images stay for the next start unless --images.

    Example: bedplate lab down
    """
    Factory(app).run("down", *(["--images"] if images else []), show=True)
    click.echo("lab: down")


def _draw_status(out: Console, answer: dict[str, Any]) -> None:
    from rich.table import Table

    if not answer["hosts"]:
        out.print(f"The lab is {answer['state']}. `bedplate lab up` starts it.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("HOST", "CLASS", "PLATFORM", "ADDRESS", "STATE", "SSH"):
        table.add_column(title)
    for host in answer["hosts"]:
        state = f"[{_STATE_STYLES.get(host['state'], 'yellow')}]{host['state']}[/]"
        ssh = "answers" if host["reachable"] else "[red]silent[/]"
        platform = host["platform"] if host["machine"] == "container" else f"{host['platform']}, {host['machine']}"
        table.add_row(host["name"], host["class"] or "-", platform, host["address"], state, ssh)
    out.print(table)
    out.print(f"The lab is {answer['state']}. Log in with: ssh -F {Path(answer['folder']) / 'ssh_config'} HOST")


def _draw_faults(out: Console, faults: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("FAULT", no_wrap=True)
    table.add_column("BY")
    table.add_column("WHAT IT DOES")
    for fault in faults["faults"]:
        table.add_row(fault["name"], fault["user"], fault["summary"])
    out.print(table)


def _draw_broken(out: Console, answer: dict[str, Any]) -> None:
    for broken in answer["broken"]:
        text = f"{broken['host']}: {broken['user']} {broken['summary']} ({broken['fault']})"
        out.print(text, markup=False, soft_wrap=True)
