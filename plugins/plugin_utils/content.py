# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What content this collection is: digest, version and commit, the same in a clone, a wheel and a built collection.

The digest is what a shell prints for

    find playbooks plugins roles -type f | LC_ALL=C sort | xargs sha256sum | sha256sum

leaving out what is not content: names that begin with a dot, `__pycache__`, and files whose name ends in
`~`, `.pyc`, `.pyo`, `.retry`, `.swp`, `.orig` or `.rej`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import yaml

FOLDERS = ("playbooks", "plugins", "roles")
_NO_FOLDERS = ("__pycache__",)
_NO_ENDINGS = ("~", ".pyc", ".pyo", ".retry", ".swp", ".orig", ".rej")
_ROOT = Path(__file__).resolve().parents[2]
_digests: dict[Path, str] = {}


def content_files(root: Path) -> list[str]:
    """Return the paths of the content below `root`, relative, with `/`, in the order of their bytes."""
    paths = []
    for top in FOLDERS:
        for folder, subfolders, names in os.walk(root / top):
            subfolders[:] = [name for name in subfolders if not name.startswith(".") and name not in _NO_FOLDERS]
            for name in names:
                path = Path(folder, name)
                if not name.startswith(".") and not name.endswith(_NO_ENDINGS) and _is_plain(path):
                    paths.append(path.relative_to(root).as_posix())
    return sorted(paths, key=os.fsencode)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def content_digest(root: Path = _ROOT) -> str:
    """Return the digest of the content below `root` as 64 hexadecimal digits; it is computed once in a process."""
    if root not in _digests:
        total = hashlib.sha256()
        for path in content_files(root):
            digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
            total.update(os.fsencode("{0}  {1}\n".format(digest, path)))
        _digests[root] = total.hexdigest()
    return _digests[root]


def content_version(root: Path = _ROOT) -> str:
    """Return the version of the collection at `root`."""
    manifest = root / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])


def content_commit(root: Path = _ROOT) -> str:
    """Return the commit that a clone has checked out, or an empty string outside of a clone."""
    folder = root / ".git"
    if folder.is_file():
        folder = root / folder.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
    head = _text(folder / "HEAD")
    if not head.startswith("ref: "):
        return head
    name = head[len("ref: ") :]
    common = folder / (_text(folder / "commondir") or ".")
    return _text(folder / name) or _text(common / name) or _packed(common, name)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _packed(folder: Path, name: str) -> str:
    for line in _text(folder / "packed-refs").splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return ""
