"""`bedplate product new`: a product from a template."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from string import Template

import click

from bedplate.commands.context import App, pass_app
from bedplate.commands.output import write_text
from bedplate.content import Content
from bedplate.errors import UsageError

_TEMPLATES = Path(__file__).with_name("new_product")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SLUG = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})  # of YAML 1.1
_FILES = {
    "manifest.yml": "playbooks/products/{name}.yml",
    "playbook.yml": "playbooks/{name}.yml",
    "page.md": "docs/products/{name}.md",
    "test.py.txt": "tests/integration/test_product_{name}.py",
}


@click.command()
@click.argument("name")
@click.option("--title", metavar="TEXT", help="Its name for people.  [default: from NAME]")
@click.option("--team", default="platform", show_default=True, metavar="NAME", help="The team that owns it.")
@click.option("--contact", metavar="TEXT", help="Where to ask.  [default: as the teams file says, or #TEAM]")
@pass_app
def new(app: App, *, name: str, title: str | None, team: str, contact: str | None) -> None:
    """Make a product from a template: manifest, playbook, page and test, in this clone.

    What it makes passes `bedplate product check` and can be run at once; nothing that is there is overwritten.

    Example: bedplate product new rotate_logs --team web
    """
    from bedplate.commands.product_check import check_files

    content = app.content
    targets = _targets(content, name)
    values = {
        "name": name,
        "title": _plain(_title(title or name.replace("_", " "))),
        "team": _plain(team),
        "contact": _one_line("--contact", contact or _contact(app, team)),
        "today": datetime.now(UTC).date().isoformat(),
    }
    for template, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        write_text(target, Template(text).substitute(values))
        click.echo(str(target.relative_to(content.root)))
    faults = check_files([targets["manifest.yml"]], content, app.settings, ansible=False)
    for fault in faults:
        click.echo(f"bedplate: {fault}", err=True)
    click.echo(f"Try it: bedplate run {name} --check", err=True)


def _targets(content: Content, name: str) -> dict[str, Path]:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"must have small letters, digits and _ only, and begin with a letter, not {name!r}", where="NAME"
        )
    if name in _WORDS:
        raise UsageError(f"{name} is a word of YAML", where="NAME", hint="choose another name")
    if not content.is_clone:
        raise UsageError("products are made in a clone", where=str(content.root), hint="content.path names its root")
    targets = {template: content.root / path.format(name=name) for template, path in _FILES.items()}
    for target in targets.values():
        if target.exists():
            raise UsageError("is there already", where=str(target), hint="choose another name")
    return targets


def _contact(app: App, team: str) -> str:
    from bedplate.teams import load_teams

    if not _SLUG.fullmatch(team):
        raise UsageError(f"must be the name of a team, not {team!r}", where="--team")
    teams = load_teams(app.settings)
    if teams is None:
        return f"#{team}"
    found = teams.get(team)
    if found is None:
        near = teams.near(team)
        hint = f"did you mean {near}?" if near else None
        raise UsageError(f"there is no team {team} in {teams.file}", where="--team", hint=hint)
    return found.contact or f"#{team}"


def _title(text: str) -> str:
    """Return a title that can also be the name of a play: a capital letter first, nothing that begins a comment."""
    if "#" in text:
        raise UsageError("must have no #", where="--title")
    return _one_line("--title", text[:1].upper() + text[1:])


def _one_line(where: str, text: str) -> str:
    """Return text that can stand in YAML between quotation marks."""
    if not re.fullmatch(r"[A-Za-z0-9#@][^\"\\\n\r\t{}:]{0,78}", text) or text != text.strip():
        raise UsageError('must be one short line without " \\ { } and :', where=where)
    return text


def _plain(text: str) -> str:
    """Return text as it stands in YAML: in quotation marks where that would be read as something else."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else f'"{text}"'
