"""Docs are tests: every command has help with an example, and stands in the README."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bedplate.main import COMMANDS, cli, main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


ALL = list(_commands(cli))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
class TestCommand:
    def test_its_help_has_an_example(self, path: tuple[str, ...], command: click.Command) -> None:
        assert command.help
        assert "bedplate " + path[0] in command.help

    def test_each_option_is_explained(self, path: tuple[str, ...], command: click.Command) -> None:
        options = [option for option in command.params if isinstance(option, click.Option)]
        unexplained = [option.opts for option in options if not option.help]
        assert not unexplained, path

    def test_it_is_in_the_readme(self, path: tuple[str, ...], command: click.Command) -> None:
        assert f"`bedplate {path[0]}" in README
        if len(path) == 2 and not isinstance(command, click.Group):
            rows = [line for line in README.splitlines() if line.startswith(f"| `bedplate {path[0]} ")]
            assert any(path[1] in row for row in rows), path


def test_the_first_line_of_help_is_the_same_in_both_places() -> None:
    for name in COMMANDS:
        assert cli.get_command(click.Context(cli), name) is not None


def test_unknown_command_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["prodct"])
    assert stop.value.code == 2
    assert "product" in capsys.readouterr().err
