"""The digest of the content: one algorithm, computed by the plugin, by a shell and by the command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bedplate.content import Content
from bedplate.execution.digest import content_digest as command_digest
from content.role_content import ROOT, load_plugin

PLUGIN = load_plugin("plugins/plugin_utils/content.py")
SHELL = "find playbooks plugins roles -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "playbooks/a.yml": "a",
        "plugins/b/c.py": "c",
        "plugins/b.py": "b",
        "plugins/b-d/e.py": "e",
        "roles/é/tasks/main.yml": "é",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "galaxy.yml").write_text("version: 1.2.3\n", encoding="utf-8")
    return tmp_path


def fresh(root: Path) -> str:
    PLUGIN._digests.clear()
    return str(PLUGIN.content_digest(root))


def test_it_is_what_a_shell_prints(tree: Path) -> None:
    done = subprocess.run(["sh", "-c", SHELL], cwd=tree, capture_output=True, text=True, check=True)
    assert fresh(tree) == done.stdout.split()[0]


@pytest.mark.parametrize(
    "name",
    [
        "roles/.hidden",
        "roles/x/.git/config",
        "plugins/__pycache__/b.pyc",
        "plugins/b.py~",
        "playbooks/a.retry",
        "playbooks/.a.yml.swp",
        "tests/a.py",
        "docs/a.md",
    ],
)
def test_what_is_no_content_does_not_count(tree: Path, name: str) -> None:
    before = fresh(tree)
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("more", encoding="utf-8")
    assert fresh(tree) == before


def test_content_and_names_count(tree: Path) -> None:
    seen = {fresh(tree)}
    (tree / "playbooks/a.yml").write_text("b", encoding="utf-8")
    seen.add(fresh(tree))
    (tree / "playbooks/a.yml").rename(tree / "playbooks/b.yml")
    seen.add(fresh(tree))
    (tree / "roles/empty").touch()
    seen.add(fresh(tree))
    assert len(seen) == 4


def test_it_is_computed_once_in_a_process(tree: Path) -> None:
    before = fresh(tree)
    (tree / "playbooks/a.yml").write_text("other", encoding="utf-8")
    assert PLUGIN.content_digest(tree) == before


def test_plugin_and_command_agree() -> None:
    assert fresh(ROOT) == command_digest(Content(ROOT, ROOT / "collections"))


def test_version_comes_from_galaxy_or_from_the_built_manifest(tree: Path) -> None:
    assert PLUGIN.content_version(tree) == "1.2.3"
    (tree / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": "2.0.0"}}), encoding="utf-8")
    assert PLUGIN.content_version(tree) == "2.0.0"


def test_commit(tree: Path) -> None:
    assert PLUGIN.content_commit(tree) == ""

    def git(*arguments: str, folder: Path = tree) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert PLUGIN.content_commit(tree) == head
    git("pack-refs", "--all")
    assert PLUGIN.content_commit(tree) == head
    git("worktree", "add", "-q", str(tree / "other"))
    assert PLUGIN.content_commit(tree / "other") == head
    git("checkout", "-q", "--detach")
    assert PLUGIN.content_commit(tree) == head
