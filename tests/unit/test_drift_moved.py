"""What of the content moved since a commit, and who did that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bedplate.content import Content
from bedplate.drift.observation import Confidence
from bedplate.execution.digest import git_commit, moved_since


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """A checkout with two roles."""
    for role in ("access", "logging"):
        (tmp_path / "roles" / role).mkdir(parents=True)
        (tmp_path / "roles" / role / "x").write_text("one", encoding="utf-8")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "Begin", "kim")
    return Content(tmp_path, tmp_path / "collections")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


def commit(folder: Path, subject: str, author: str) -> None:
    git(folder, "add", "-A")
    named = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    git(folder, *named, "commit", "-q", "-m", subject, f"--author={author} <{author}@example.com>")


def test_a_role_names_the_last_commit_that_touched_it(content: Content) -> None:
    first = git_commit(content)
    assert first is not None
    for number, author in enumerate(("lee", "dana")):
        (content.root / "roles" / "access" / "x").write_text(str(number), encoding="utf-8")
        commit(content.root, f"Change {number}", author)
    moved = moved_since(content, first)
    assert moved is not None
    assert moved.roles == {"access"}
    by = moved.changes["access"]
    head = git(content.root, "rev-parse", "HEAD").strip()
    assert (by.user, by.command, by.source) == ("dana", f"{head[:12]} Change 1", "git")
    assert (by.evidence, by.confidence) == (f"git: commit {head}", Confidence.CERTAIN)
    assert by.time is not None


def test_what_is_not_committed_is_nobodys_yet(content: Content) -> None:
    first = git_commit(content)
    assert first is not None
    (content.root / "roles" / "logging" / "x").write_text("two", encoding="utf-8")
    moved = moved_since(content, first)
    assert moved is not None
    assert (moved.changes["logging"].user, moved.changes["logging"].command) == (None, "what is not committed yet")
