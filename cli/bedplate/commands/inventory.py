"""`bedplate inventory`: who is in the inventory, what is known of them, and what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.completing import complete_group, complete_host, complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.inventory_migrate import migrate
from bedplate.commands.keys import keys
from bedplate.commands.output import console, emit, output_option, output_option_with, write_text
from bedplate.errors import InventoryError, NotFoundError, UsageError

if TYPE_CHECKING:
    from bedplate.execution.inventory import InventoryAdapter
    from bedplate.execution.inventory_source import PluginSource
    from bedplate.fleet import Prefix, Snapshot

_KEYS = ("class", "region", "site", "rack", "cluster", "role", "platform", "tenant", "status")


@click.group()
def inventory() -> None:
    """Hosts: list, host, graph; the NetBox snapshot behind them: refresh, snapshot, diff, check; host keys: keys;
    from nb_inventory: migrate.

    Who is in a limit, in which groups, with which variables is always ansible's own answer.

    Example: bedplate inventory list --limit 'site_fra1:&class_colo'
    """


inventory.add_command(keys)
inventory.add_command(migrate)


@inventory.command("list")
@click.option(
    "--limit", metavar="PATTERN", help="Only these hosts, as ansible's --limit.", shell_complete=complete_limit
)
@click.option("--by", type=click.Choice(_KEYS), help="Sort by this first.")
@output_option
@pass_app
def list_hosts(app: App, *, limit: str | None, by: str | None, output: str) -> None:
    """List hosts with their class, place, role and address.

    Example: bedplate inventory list --limit 'region_emea:!role_observer' --by site
    """
    from bedplate.commands.inventory_documents import list_document, list_table

    adapter = open_inventory(app)
    document = list_document(adapter.path, adapter.resolve(limit), adapter.records)
    if by:
        document["hosts"].sort(key=lambda host: (host[by] is None, str(host[by]), host["name"]))
    show_warnings(adapter)
    emit(document, output, lambda screen: list_table(screen, document["hosts"]))


@inventory.command()
@click.argument("name", shell_complete=complete_host)
@output_option
@pass_app
def host(app: App, *, name: str, output: str) -> None:
    """Show what NetBox says of a host, its groups, and its variables as ansible sees them.

    Templates are not rendered, vaulted values stay encrypted; a file that is vaulted as a whole is decrypted, as
    ansible-inventory does.

    Example: bedplate inventory host fra1-colo-01 -o json
    """
    from bedplate.commands.inventory_documents import host_table

    adapter = open_inventory(app)
    variables = adapter.host(name)
    record = adapter.records.get(name)
    document = {
        "schema": 1,
        "name": name,
        "record": record.to_document() if record else None,
        "groups": adapter.names.groups_of(name),
        "variables": variables,
    }
    show_warnings(adapter)
    emit(document, output, lambda screen: host_table(screen, document))


@inventory.command()
@click.argument("group", default="all", shell_complete=complete_group)
@click.option("--svg", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write a drawing to this file.")
@output_option_with("svg")
@pass_app
def graph(app: App, *, group: str, target: Path | None, output: str) -> None:
    """Draw the tree of groups and hosts below GROUP (default: all).

    A drawing (SVG) shows each group once; hosts are drawn where they are few, and counted where they are many.

    \b
    Examples:
      bedplate inventory graph region_emea
      bedplate inventory graph --svg fleet.svg
    """
    from bedplate.execution.inventory_cache import names_document

    adapter = open_inventory(app)
    if target is not None:
        write_text(target, _drawing(adapter, group))
    elif output == "svg":
        click.echo(_drawing(adapter, group), nl=False)
    elif output == "table":
        click.echo(adapter.graph(group), nl=False)
    else:
        emit(names_document(adapter.names.below(group)), output, lambda _: None)
    show_warnings(adapter)


@inventory.command()
@click.option("--full", is_flag=True, help="Read all of NetBox, even where it is known what changed.")
@click.option("--verify", is_flag=True, help="Read what changed, then all, and show where the two differ.")
@output_option
@pass_app
def refresh(app: App, *, full: bool, verify: bool, output: str) -> ExitCode:
    """Ask NetBox now, and say what came, went and changed since the last good snapshot.

    Only what changed is read where NetBox can tell exactly, else all of it; which of the two, and why, is said on
    standard error. --verify does both: what differs was missed by the first, or was changed between the two.

    Exit codes: 0 done, 2 the inventory is a file and not NetBox, 6 --verify found a difference, 7 NetBox gave no whole
    fleet (or one that shrank by more than inventory.shrink_percent); the last good snapshot stays.

    \b
    Examples:
      bedplate inventory refresh -o json
      bedplate inventory refresh --verify
    """
    from bedplate.commands.inventory_documents import diff_document, diff_text
    from bedplate.fleet import compare

    adapter = open_inventory(app)
    source = only_source(adapter)
    before = adapter.last_snapshot_of(source)
    adapter.refresh(full=full and not verify)
    after = adapter.snapshot_of(source)
    _tell_how(after)
    if verify:
        adapter.refresh(full=True)
        before, after = after, adapter.snapshot_of(source)
        _tell_how(after)
    found = compare(before or after.cut(()), after)
    show_warnings(adapter)
    emit(diff_document(found), output, lambda screen: diff_text(screen, found))
    differs = bool(found.added or found.removed or found.changed)
    return ExitCode.DRIFT if verify and differs else ExitCode.DONE


@inventory.command()
@click.option(
    "--write", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file (0600)."
)
@output_option
@pass_app
def snapshot(app: App, *, target: Path | None, output: str) -> None:
    """Show which snapshot of NetBox the inventory speaks from: file, age, source, counts.

    Example: bedplate inventory snapshot --write fleet.json
    """
    from bedplate.commands.inventory_documents import now, snapshot_document, snapshot_table
    from bedplate.execution.inventory_snapshot import write_snapshot

    adapter = open_inventory(app)
    source = only_source(adapter)
    file, found = adapter.snapshot_file_of(source), adapter.snapshot_of(source)
    if target is not None:
        write_snapshot(target, found)
        file = target.absolute()
    document = snapshot_document(found, file, adapter.path, live=source.is_live, now=now())
    emit(document, output, lambda screen: snapshot_table(screen, document))


@inventory.command()
@click.argument("before", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.argument("after", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--live", is_flag=True, help="AFTER is what NetBox says now; the last good snapshot stays.")
@output_option
@pass_app
def diff(app: App, *, before: Path | None, after: Path | None, live: bool, output: str) -> None:
    """Show what changed from snapshot BEFORE to snapshot AFTER.

    AFTER is the current snapshot unless it is given; BEFORE is the one that the last refresh replaced, or with --live
    the current one.

    \b
    Examples:
      bedplate inventory diff
      bedplate inventory diff --live
      bedplate inventory diff monday.json friday.json -o json
    """
    from bedplate.commands.inventory_documents import diff_document, diff_text
    from bedplate.execution.inventory_snapshot import read_snapshot
    from bedplate.fleet import compare

    if live and after:
        raise UsageError("--live is what comes after: name one snapshot or none")

    def current() -> Snapshot:
        adapter = open_inventory(app)
        return adapter.snapshot_of(only_source(adapter))

    def netbox() -> Snapshot:
        adapter = open_inventory(app)
        return adapter.ask_netbox(only_source(adapter))

    first = read_snapshot(before) if before else _last(app) if live else _previous(app)
    found = compare(first, read_snapshot(after) if after else netbox() if live else current())
    emit(diff_document(found), output, lambda screen: diff_text(screen, found))


@inventory.command()
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--owner", metavar="NAME", help="Only hosts of this owner: the custom field owner, or else the tenant.")
@click.option(
    "--prefixes",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="NetBox's answer to /api/ipam/prefixes/, to find addresses that are outside them.",
)
@output_option_with("junit")
@pass_app
def check(app: App, *, strict: bool, owner: str | None, prefixes: Path | None, output: str) -> ExitCode:
    """Look for what will hurt in what NetBox says, host by host, with the owner of each.

    No address, no class, names or addresses that two hosts have, config contexts that contradict each other, unknown
    platforms, and, with --prefixes, addresses that are in no prefix or in one of another site.

    Exit codes: 0 no errors, 2 errors were found, 7 the inventory cannot be used at all.

    \b
    Examples:
      bedplate inventory check --strict
      bedplate inventory check --owner payments -o junit > inventory.xml
    """
    from bedplate.commands.inventory_documents import check_document, check_table
    from bedplate.fleet import find_faults

    adapter = open_inventory(app)
    source = only_source(adapter)
    found = adapter.snapshot_of(source)
    _ = adapter.names  # unusable is worse than faulty
    known = _prefixes(prefixes) if prefixes else None
    faults = [fault for fault in find_faults(found, known or ()) if owner is None or fault.owner == owner]
    hosts = {name: one.owner for name, one in found.hosts.items() if owner is None or one.owner == owner}
    document = check_document(adapter.path, adapter.snapshot_file_of(source), len(hosts), faults)
    document["prefixes"] = len(known) if known is not None else None
    show_warnings(adapter)
    if output == "junit":
        from bedplate.reports.inventory_junit import junit

        click.echo(junit(hosts, faults, strict=strict), nl=False)
    else:
        emit(document, output, lambda screen: check_table(screen, document))
    return ExitCode.USAGE if document["errors"] or (strict and document["warnings"]) else ExitCode.DONE


def _drawing(adapter: InventoryAdapter, group: str) -> str:
    from bedplate.reports.inventory_svg import draw

    names = adapter.names
    if group not in names.groups:
        adapter.graph(group)  # says what is near
    return draw(names, group)


def _prefixes(file: Path) -> list[Prefix]:
    from bedplate.fleet import parse_prefixes

    try:
        return parse_prefixes(json.loads(file.read_bytes()), str(file))
    except (OSError, ValueError) as error:
        raise UsageError(f"no JSON can be read: {error}", where=str(file)) from error


def _last(app: App) -> Snapshot:
    adapter = open_inventory(app)
    found = adapter.last_snapshot_of(only_source(adapter))
    if found is None:
        raise NotFoundError("there is no snapshot yet", where=str(adapter.path), hint="`bedplate inventory refresh`")
    return found


def _tell_how(snapshot: Snapshot) -> None:
    how = snapshot.cursor.get("read") if isinstance(snapshot.cursor, dict) else None
    if how:
        console(stderr=True).print(f"read: {how}", soft_wrap=True, markup=False)


def _previous(app: App) -> Snapshot:
    adapter = open_inventory(app)
    found = adapter.history_of(only_source(adapter)).last()
    if found is None:
        raise NotFoundError(
            "no earlier snapshot of this inventory is kept",
            where=str(adapter.path),
            hint="`bedplate inventory refresh` keeps the one that it replaces; or name two files",
        )
    return found


def open_inventory(app: App) -> InventoryAdapter:
    """Return the adapter for the inventory that was asked for. Raises InventoryError."""
    from bedplate.execution.inventory import InventoryAdapter

    return InventoryAdapter(app.content, app.settings, app.inventory)


def only_source(adapter: InventoryAdapter) -> PluginSource:
    """Return the inventory's NetBox source. Raises InventoryError if there is none, or more than one."""
    sources = adapter.source.ours
    if len(sources) == 1:
        return sources[0]
    if sources:
        names = ", ".join(str(source.file.relative) for source in sources)
        raise InventoryError(
            f"has {len(sources)} NetBox sources: {names}",
            where=str(adapter.path),
            hint="name one of them with --inventory",
        )
    raise InventoryError(
        "has no NetBox source", where=str(adapter.path), hint="snapshots are of bedplate.datacenter.netbox sources"
    )


def show_warnings(adapter: InventoryAdapter) -> None:
    """Say on standard error what ansible and the plugin warned of."""
    for warning in adapter.warnings:
        console(stderr=True).print(f"warning: {warning}", style="yellow", soft_wrap=True, markup=False)
