"""`bedplate policy`: an organisation's own rules in Cedar."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.exits import ExitCode
from bedplate.commands.output import emit, output_option
from bedplate.errors import SettingsError

if TYPE_CHECKING:
    from bedplate.guardrails.policies import Policies


@click.group()
def policy() -> None:
    """An organisation's own rules in Cedar: over who, product, parameters, hosts and time.

    Example: bedplate policy check
    """


@policy.command()
@output_option
@pass_app
def check(app: App, output: str) -> None:
    """Read all policies and list them; a fault is named with its file.

    Example: BEDPLATE_GUARDRAILS_POLICIES=policies bedplate policy check
    """
    names = _policies(app).names
    emit({"schema": 1, "policies": names}, output, lambda out: out.print("\n".join(names), markup=False))


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@pass_app
def test(app: App, file: Path, output: str) -> int:
    """Ask the policies the questions of a YAML FILE and compare with the answers in it; exits 5 if one differs.

    \b
    cases:
      - name: nobody patches many hosts by day
        person: ada
        teams: [web]
        product: patch
        groups: [site_fra1]
        hosts: [a, b, c]
        parameters: {reboot: true}
        at: 2026-11-25T10:00:00+01:00
        expect: deny          # or allow
        by: office_hours      # the policy that decides, if you want to be sure

    Example: bedplate policy test policies/cases.yml
    """
    from bedplate.launch.policy_cases import read_cases, run_cases
    from bedplate.launch.rulebooks import zone_of_policies

    results = run_cases(_policies(app), read_cases(file, zone_of_policies(app.settings)))
    failed = [result for result in results if not result.passed]
    document = {"schema": 1, "cases": [asdict(result) for result in results], "failed": len(failed)}
    lines = [f"{'ok    ' if each.passed else 'FAILED'} {each.name}: {each.said}" for each in results]
    emit(document, output, lambda out: out.print("\n".join(lines), markup=False))
    return ExitCode.FAILED if failed else ExitCode.DONE


def _policies(app: App) -> Policies:
    from bedplate.launch.rulebooks import load_policies

    policies = load_policies(app.settings)
    if policies is None:
        raise SettingsError(
            "no folder of policies is named", where="guardrails.policies", hint="set it in bedplate.toml"
        )
    return policies
