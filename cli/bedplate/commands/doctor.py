"""`bedplate doctor`: what Bedplate needs, from Python to the hosts' keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from bedplate.commands.completing import complete_limit
from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import console, emit, output_option

if TYPE_CHECKING:
    from rich.console import Console

    from bedplate.commands.doctor_checks import Check
    from bedplate.commands.doctor_hosts import HostCheck

_ORDER = (ExitCode.USAGE, ExitCode.INVENTORY, ExitCode.EXTERNAL, ExitCode.UNREACHABLE)
_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failed": "[red]failed[/]"}


@click.command()
@click.option(
    "--limit", metavar="PATTERN", help="Only these hosts, as ansible's --limit.", shell_complete=complete_limit
)
@click.option("--no-hosts", is_flag=True, help="Look at this machine only.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds for a step.")
@output_option
@pass_app
def doctor(app: App, *, limit: str | None, no_hosts: bool, timeout: float, output: str) -> ExitCode:
    """Check what Bedplate needs: programs, settings, state folder, store, inventory, and each host.

    Hosts are connected to (TCP, SSH banner, host key against known_hosts), nobody logs in.

    \b
    Exit codes: 0 all is good (warnings allowed), 2 settings or state folder, 7 the inventory cannot be used,
    9 a program or the store is missing, 4 hosts cannot be reached or their keys are not the known ones.
    Of several, the first in this order.

    Example: bedplate doctor --limit site_fra1
    """
    from bedplate.commands.doctor_checks import FIRST_CHECKS, STATE_CHECKS, State

    checks = [check for look in FIRST_CHECKS for check in look(app)]
    if all(check.code is not ExitCode.USAGE or check.state is State.OK for check in checks):
        checks += [check for look in STATE_CHECKS for check in look(app)]
    failed = {check.code for check in checks if check.state is State.FAILED}
    usable = any(check.name == "inventory" and check.state is State.OK for check in checks)
    hosts = _hosts(app, limit, timeout) if usable and not no_hosts else []
    if not all(host.is_good for host in hosts):
        failed.add(ExitCode.UNREACHABLE)
    document = {"schema": 1, "ok": not failed, "checks": [_check_document(one) for one in checks], "hosts": hosts}
    emit(document, output, lambda screen: _show(screen, checks, hosts))
    return next((code for code in _ORDER if code in failed), ExitCode.DONE)


def _hosts(app: App, limit: str | None, timeout: float) -> list[HostCheck]:
    from rich.progress import Progress

    from bedplate.commands.doctor_hosts import check_hosts, plan_hosts
    from bedplate.commands.inventory_opening import open_inventory

    adapter = open_inventory(app)
    plans = plan_hosts(adapter, adapter.resolve(limit))
    with Progress(console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("hosts", total=len(plans))
        return check_hosts(plans, timeout, lambda _: progress.advance(task))


def _check_document(check: Check) -> dict[str, Any]:
    return {
        "group": check.group,
        "name": check.name,
        "state": check.state,
        "detail": check.detail,
        "hint": check.hint or None,
    }


def _show(screen: Console, checks: Sequence[Check], hosts: Sequence[HostCheck]) -> None:
    from rich.markup import escape

    for group in dict.fromkeys(check.group for check in checks):
        screen.print(group, style="bold")
        for check in checks:
            if check.group == group:
                screen.print(f"  {_MARKS[check.state]:<8} {check.name}: {escape(check.detail)}", soft_wrap=True)
                _show_hint(screen, check.hint)
    if hosts:
        screen.print("hosts", style="bold")
    for host in hosts:
        mark = _MARKS["ok" if host.is_good else "failed"]
        place = f"{host.address}:{host.port}"
        screen.print(f"  {mark} {escape(f'{host.host} ({place}): {host.banner} {host.detail}')}", soft_wrap=True)
        _show_hint(screen, host.hint)


def _show_hint(screen: Console, hint: str) -> None:
    if hint:
        screen.print(f"      -> {hint}", soft_wrap=True, markup=False, style="dim")
