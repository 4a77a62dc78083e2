"""`bedplate schedule`: products that run by themselves."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import emit, output_option
from bedplate.commands.product_names import complete_product
from bedplate.errors import UsageError

if TYPE_CHECKING:
    from bedplate.schedules import Entry, Program

_SYSTEM, _CRON = Path("/etc/systemd/system"), Path("/etc/cron.d")
_products = click.argument("names", metavar="[PRODUCT]...", nargs=-1, shell_complete=complete_product)
_cron = click.option("--cron", is_flag=True, help="A file for /etc/cron.d instead of systemd's timers.")
_folder = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where the files are, if not in the usual place."
)
_no_start = click.option("--no-start", is_flag=True, help="Leave systemd alone; only write or remove the files.")


@click.group()
def schedule() -> None:
    """Products that run by themselves, as their manifests say: systemd's timers, or lines of cron.

    Example: bedplate schedule show
    """


@schedule.command()
@_products
@_cron
@output_option
@pass_app
def show(app: App, names: tuple[str, ...], output: str, *, cron: bool) -> None:
    """Show what would be installed; systemd checks it where there is one.

    Example: bedplate schedule show verify
    """
    program = _program(app)
    entries = _entries(app, names, program)
    files = _files(entries, program, cron=cron)
    _tell_of_variables(app, entries, program)
    documents = [_document(entry) for entry in entries]
    emit({"schedules": documents, "files": files}, output, lambda _: _print(files))


@schedule.command()
@_products
@_cron
@_folder
@_no_start
@pass_app
def install(app: App, names: tuple[str, ...], *, cron: bool, folder: Path | None, no_start: bool) -> None:
    """Install the schedules of all products, or of those that are named, and start the timers.

    As root they are the system's, else your own. A file that bedplate did not write is never overwritten.

    Example: bedplate schedule install verify
    """
    from bedplate.schedules.installation import control
    from bedplate.schedules.installation import install as write

    program = _program(app)
    entries = _entries(app, names, program)
    files = _files(entries, program, cron=cron)
    _tell_of_variables(app, entries, program)
    changed = write(_place(folder, cron=cron), files)
    for path in changed:
        click.echo(str(path))
    if not changed:
        click.echo("Nothing to do.", err=True)
    if entries and not cron and not no_start:
        control(["daemon-reload"], user=os.geteuid() != 0)
        control(["enable", "--now", *(f"{entry.name}.timer" for entry in entries)], user=os.geteuid() != 0)


@schedule.command()
@_products
@_cron
@_folder
@_no_start
@pass_app
def remove(app: App, names: tuple[str, ...], *, cron: bool, folder: Path | None, no_start: bool) -> None:
    """Stop and remove installed schedules: all, or those of the products that are named.

    Schedules of products that are no longer in the catalog are found, too.

    Example: bedplate schedule remove verify
    """
    from bedplate.schedules.installation import control, installed
    from bedplate.schedules.installation import remove as delete

    del app
    if cron and names:
        raise UsageError("cron's file has all products", hint="install those that are to stay: schedule install --cron")
    suffixes = {".timer", ".service"} if not cron else {""}
    paths = [path for path in installed(_place(folder, cron=cron)) if path.suffix in suffixes and _is_of(path, names)]
    timers = [path.name for path in paths if path.suffix == ".timer"]
    if timers and not no_start:
        control(["disable", "--now", *timers], user=os.geteuid() != 0)
    delete(paths)
    for path in paths:
        click.echo(str(path))
    if timers and not no_start:
        control(["daemon-reload"], user=os.geteuid() != 0)
    if not paths:
        click.echo("Nothing to do.", err=True)


def _is_of(path: Path, names: tuple[str, ...]) -> bool:
    product = path.stem.removeprefix("bedplate-").partition("-")[0]
    return not names or product in names


def _program(app: App) -> Program:
    from bedplate.schedules import Program

    beside = Path(sys.executable).with_name("bedplate")
    path = beside if beside.is_file() else Path(shutil.which("bedplate") or sys.argv[0]).absolute()
    settings = app.settings
    environment = {"BEDPLATE_HOME": str(settings.home)}
    if os.environ.get("BEDPLATE_CONFIG"):
        environment["BEDPLATE_CONFIG"] = str(Path(os.environ["BEDPLATE_CONFIG"]).expanduser().absolute())
    if os.environ.get("BEDPLATE_CONTENT_PATH"):
        environment["BEDPLATE_CONTENT_PATH"] = str(app.content.root)
    project = next((Path(source).parent for source in settings.sources if Path(source).name == "bedplate.toml"), None)
    return Program(path, ("--inventory", str(app.inventory)), environment, project)


def _entries(app: App, names: tuple[str, ...], program: Program) -> list[Entry]:
    from bedplate.catalog import load_catalog
    from bedplate.schedules import entries_of

    catalog = load_catalog(app.content.products)
    products = [catalog.get(name) for name in names] or catalog.products()
    for product in products:
        if names and not product.schedule:
            raise UsageError(f"{product.name} has no schedule", hint="its manifest says when: schedule")
    return entries_of(products, program)


def _files(entries: list[Entry], program: Program, *, cron: bool) -> dict[str, str]:
    from bedplate.schedules import cron_file, units, verify

    if cron:
        text, warnings = cron_file(entries, program, getpass.getuser())
        for warning in warnings:
            click.echo(f"bedplate: {warning}", err=True)
        return {"bedplate": text} if entries else {}
    files = {name: text for entry in entries for name, text in units(entry, program).items()}
    wrong = verify(files) if files else None
    if wrong:
        raise UsageError(f"systemd does not take it: {wrong}")
    return files


def _tell_of_variables(app: App, entries: list[Entry], program: Program) -> None:
    """Say which settings scheduled runs will not have: files that many may read are no place for what may be secret."""
    sections = {each.name for each in fields(app.settings)}
    carried = {*program.environment, "BEDPLATE_INVENTORY_PATH"}
    named = [name for name in os.environ if name.startswith("BEDPLATE_") and name.split("_")[1].lower() in sections]
    left_out = sorted({*named} - carried)
    if entries and left_out:
        click.echo(
            f"bedplate: scheduled runs will not know {', '.join(left_out)}: put that into bedplate.toml", err=True
        )


def _place(folder: Path | None, *, cron: bool) -> Path:
    if folder is not None:
        return folder
    if cron:
        return _CRON
    own = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "systemd/user"
    return _SYSTEM if os.geteuid() == 0 else own


def _document(entry: Entry) -> dict[str, Any]:
    plan = entry.schedule
    return {
        "name": entry.name,
        "product": entry.product.name,
        "calendar": plan.calendar,
        "timezone": plan.timezone,
        "jitter": plan.jitter,
        "catch_up": plan.catch_up,
        "check": plan.check,
        "limit": plan.limit,
        "command": list(entry.command),
    }


def _print(files: dict[str, str]) -> None:
    for name, text in files.items():
        click.echo(f"# {name}\n{text}")
    if not files:
        click.echo("No product has a schedule.")
