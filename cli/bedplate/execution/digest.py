"""What content ran: digests over files, and the commit that they are from."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bedplate.content import Content

_FOLDERS = ("playbooks", "plugins", "roles")


def content_digest(content: Content) -> str:
    """Return the sha256 over all files that decide what a run does: playbooks, plugins and roles."""
    return _digest(content.root, _files(content.root))


def product_digest(content: Content, product: str, playbook: str) -> str:
    """Return the sha256 over a product's manifest and playbook.

    Args:
        playbook: its path from the root of the content.
    """
    return _digest(content.root, [content.products / f"{product}.yml", content.root / playbook])


def git_commit(content: Content) -> str | None:
    """Return the commit of a checkout, with `-dirty` where content was changed since; None outside of one."""
    if not (content.root / ".git").exists():
        return None
    commit = _git(content.root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(content.root, "status", "--porcelain", "--", *_FOLDERS)
    return f"{commit}-dirty" if changed else commit


def _files(root: Path) -> list[Path]:
    return [
        file
        for folder in _FOLDERS
        for file in sorted((root / folder).rglob("*"))
        if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.relative_to(root).parts)
    ]


def _digest(root: Path, files: Iterable[Path]) -> str:
    """Return the sha256 of one line a file: its own sha256 and its path, as sha256sum prints them."""
    total = hashlib.sha256()
    for file in sorted(files):
        inner = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{inner}  {file.relative_to(root).as_posix()}\n".encode())
    return total.hexdigest()


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
