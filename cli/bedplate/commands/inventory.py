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
from bedplate.commands.inventory_opening import only_source, open_inventory, show_warnings
from bedplate.commands.inventory_snapshots import diff, refresh, snapshot
from bedplate.commands.keys import keys
from bedplate.commands.output import emit, output_option, output_option_with, write_text
from bedplate.errors import UsageError

if TYPE_CHECKING:
    from bedplate.execution.inventory import InventoryAdapter
    from bedplate.fleet import Prefix

_KEYS = ("class", "region", "site", "rack", "cluster", "role", "platform", "tenant", "status")


@click.group()
def inventory() -> None:
    """Hosts: list, host, graph; the NetBox snapshot behind them: refresh, snapshot, diff, check; host keys: keys;
    from nb_inventory: migrate.

    Who is in a limit, in which groups, with which variables is always ansible's own answer.

    Example: bedplate inventory list --limit 'site_fra1:&class_colo'
    """


for command in (keys, migrate, refresh, snapshot, diff):
    inventory.add_command(command)


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
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--owner", metavar="NAME", help="Only hosts of this owner: the custom field owner, or else the tenant.")
@click.option(
    "--prefixes",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="NetBox's answer to /api/ipam/prefixes/, instead of asking NetBox.",
)
@output_option_with("junit")
@pass_app
def check(app: App, *, strict: bool, owner: str | None, prefixes: Path | None, output: str) -> ExitCode:
    """Look for what will hurt in what NetBox says, host by host, with the owner of each.

    No address, no class, names or addresses that two hosts have, config contexts that contradict each other, unknown
    platforms, and addresses that are in no prefix or in one of another site. Prefixes are NetBox's own, where the
    inventory asks NetBox; for a snapshot file they are those read with it, or those of --prefixes.

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
    adapter.wants_prefixes = prefixes is None
    found = adapter.snapshot_of(source)
    _ = adapter.names  # unusable is worse than faulty
    known = _prefixes(prefixes) if prefixes else adapter.prefixes_of(source)
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
