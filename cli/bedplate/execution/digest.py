"""What content ran: digests over files, and the commit that they are from."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import yaml

from bedplate.content import Content
from bedplate.drift.lifecycle import MovedContent
from bedplate.drift.observation import By, Confidence

_DIRTY = "-dirty"
_FOLDERS = ("playbooks", "plugins", "roles")
# The same rule as in the collection, which writes the digest on hosts.
_COMPILED = (".pyc", ".pyo")
_NO_ENDINGS = ("~", *_COMPILED, ".retry", ".swp", ".orig", ".rej")


def content_digest(content: Content) -> str:
    """Return the sha256 over all files that decide what a run does: playbooks, plugins and roles.

    It is what `find playbooks plugins roles -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` prints, without
    hidden files, compiled Python and what editors leave behind.
    """
    return _digest(content.root, _files(content.root))


def digest_is_whole(content: Content) -> bool:
    """Return whether the digest tells of all that roles may read: it passes over links, and over what is hidden."""
    told = set(_files(content.root))
    for top in _FOLDERS:
        for folder, subfolders, names in os.walk(content.root / top):
            if any(Path(folder, name).is_symlink() or name.startswith(".") for name in subfolders):
                return False
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            files = (Path(folder, name) for name in names if not name.endswith(_COMPILED))
            if any(file.relative_to(content.root).as_posix() not in told for file in files):
                return False
    return True


def content_version(content: Content) -> str:
    """Return the version that the content says it is, which roles write down on hosts."""
    manifest = content.root / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    described = yaml.safe_load((content.root / "galaxy.yml").read_text(encoding="utf-8"))
    return str((described or {}).get("version", ""))


def product_digest(content: Content, product: str, playbook: str) -> str:
    """Return the sha256 over a product's manifest and playbook.

    Args:
        playbook: its path from the root of the content.
    """
    manifest = (content.products / f"{product}.yml").relative_to(content.root).as_posix()
    return _digest(content.root, [manifest, playbook])


def git_commit(content: Content) -> str | None:
    """Return the commit of a checkout, with `-dirty` where content was changed since; None outside of one."""
    if not (content.root / ".git").exists():
        return None
    commit = _git(content.root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(content.root, "status", "--porcelain", "--", *_FOLDERS)
    return f"{commit}{_DIRTY}" if changed else commit


def moved_since(content: Content, commit: str) -> MovedContent | None:
    """Return what of a checkout's content differs from that of a commit; None where git cannot say."""
    if not (content.root / ".git").exists() or commit.endswith(_DIRTY):
        return None
    changed = _git(content.root, "diff", "--name-only", "--no-renames", commit, "--", *_FOLDERS)
    if changed is None:
        return None
    paths = [path.split("/") for path in changed.splitlines()]
    roles = frozenset(path[1] for path in paths if path[0] == "roles")
    changes = {role: by for role in roles if (by := _last_change(content.root, commit, f"roles/{role}"))}
    return MovedContent(roles, any(path[0] != "roles" for path in paths), changes)


def _last_change(root: Path, commit: str, path: str) -> By | None:
    """Return the last commit since another that changed what is at a path; if none did, what is not committed did."""
    told = _git(root, "log", "-1", "--format=%H%x00%an%x00%aI%x00%s", f"{commit}..HEAD", "--", path)
    if told is None:
        return None
    if not told:
        return By(None, "what is not committed yet", f"git: {path}", None, "git", Confidence.CERTAIN)
    number, author, time, subject = told.split("\0", 3)
    evidence = f"git: commit {number}"
    return By(author, f"{number[:12]} {subject}", evidence, datetime.fromisoformat(time), "git", Confidence.CERTAIN)


def _files(root: Path) -> Iterator[str]:
    for top in _FOLDERS:
        for folder, subfolders, names in os.walk(root / top):
            subfolders[:] = [name for name in subfolders if not name.startswith((".", "__pycache__"))]
            for name in names:
                file = Path(folder, name)
                if not name.startswith(".") and not name.endswith(_NO_ENDINGS) and not file.is_symlink():
                    yield file.relative_to(root).as_posix()


def _digest(root: Path, names: Iterable[str]) -> str:
    """Return the sha256 of one line a file: its own sha256 and its path, as sha256sum prints them."""
    total = hashlib.sha256()
    for name in sorted(names, key=os.fsencode):
        total.update(os.fsencode(f"{hashlib.sha256((root / name).read_bytes()).hexdigest()}  {name}\n"))
    return total.hexdigest()


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
