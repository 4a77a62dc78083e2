"""The `bedplate` command: its groups, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from bedplate import __version__
from bedplate.commands.context import App
from bedplate.commands.exits import ExitCode, exit_code_of
from bedplate.commands.lazy import LazyCommand, LazyGroup
from bedplate.commands.output import leave_pipe
from bedplate.errors import BedplateError

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "run": LazyCommand("bedplate.commands.run:run", "Run a product on hosts."),
    "product": LazyCommand("bedplate.commands.product:product", "The catalog: list, show, check, new, docs, report."),
    "feedback": LazyCommand("bedplate.commands.feedback:feedback", "Say how good a product is."),
    "runs": LazyCommand("bedplate.commands.runs:runs", "What ran, and what waits: list, show, approve, rerun."),
    "audit": LazyCommand("bedplate.commands.audit:audit", "Who asked, approved, refused and did what: list, verify."),
    "policy": LazyCommand("bedplate.commands.policy:policy", "An organisation's own rules in Cedar: check, test."),
    "schedule": LazyCommand(
        "bedplate.commands.schedule:schedule", "Products that run by themselves: show, install, remove."
    ),
    "notifications": LazyCommand("bedplate.commands.notifications:notifications", "Who hears of results; --test."),
    "drift": LazyCommand("bedplate.commands.drift:drift", "What is not as agreed: check, seal, list, show, waive."),
    "nightly": LazyCommand("bedplate.commands.nightly:nightly", "Check the whole fleet, and tell what is new."),
    "inventory": LazyCommand("bedplate.commands.inventory:inventory", "Hosts: list, host, graph, refresh, diff, keys."),
    "awx": LazyCommand(
        "bedplate.commands.awx:awx", "The catalog in an AWX: plan, apply, export; what ran there: sync."
    ),
    "lab": LazyCommand("bedplate.commands.lab:lab", "A fleet of real hosts on this machine: up, status, break, down."),
    "doctor": LazyCommand("bedplate.commands.doctor:doctor", "Check what Bedplate needs, from Python to host keys."),
    "db": LazyCommand("bedplate.commands.db:db", "The run store: upgrade, status."),
    "completion": LazyCommand("bedplate.commands.completion:completion", "Print shell completion for your shell."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Example: bedplate run baseline --limit 'site_fra1:&class_colo' --check",
)
@click.option("-i", "--inventory", metavar="PATH", help="Inventory folder or file (default: the lab's).")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="bedplate")
@click.pass_context
def cli(ctx: click.Context, inventory: str | None, *, debug: bool) -> None:
    """Infrastructure as a product: curated playbooks, run safely, every run tracked."""
    ctx.obj = App(inventory, debug=debug)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with a documented code."""
    debug = "--debug" in (sys.argv[1:] if args is None else args)
    try:
        result = cli.main(args=args, prog_name="bedplate", standalone_mode=False)
        code = result if isinstance(result, int) else ExitCode.DONE
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("bedplate: canceled", err=True)
        code = ExitCode.CANCELED
    except (BrokenPipeError, SystemExit):  # whoever read has gone; click tells of it by ending with 1
        leave_pipe()
        code = ExitCode.DONE
    except BedplateError as error:
        if debug:
            raise
        click.echo(f"bedplate: {error}", err=True)
        code = exit_code_of(error)
    except Exception as error:
        if debug:
            raise
        click.echo(f"bedplate: internal error: {type(error).__name__}: {error}; a report is in {_report()}", err=True)
        code = ExitCode.INTERNAL
    sys.exit(int(code))


def _report() -> Path:
    from bedplate.commands.crash import write_report  # noqa: PLC0415 (only needed when something broke)

    return write_report()


if __name__ == "__main__":
    main()
