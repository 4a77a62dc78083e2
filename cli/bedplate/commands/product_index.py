"""The products of a catalog in short, from a copy of what was read last: only manifests that changed are read again.

Reading a manifest takes milliseconds, and pydantic a fifth of a second to load: a listing of hundreds would be slow.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bedplate import __version__
from bedplate.errors import ManifestError

_PACKAGE = Path(__file__).parents[1] / "catalog"
_Mark = list[Any]
_SHAPE = 2  # of the copy
_Sees = Callable[[Iterable[str] | None], bool]


def product_index(folder: Path, home: Path, sees: _Sees) -> tuple[list[dict[str, Any]], list[ManifestError]]:
    """Return an entry of `product list` for each product that is to be shown, and what is wrong with broken ones.

    Args:
        folder: the catalog's folder of manifests.
        home: the state folder, in which the copy is kept; one that cannot be written costs time only.
        sees: whether a product with these teams in `access.view` is to be shown.

    Raises:
        ManifestError: there is no such folder.
    """
    file = home / "cache" / f"catalog-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.json"
    known = _read(file)
    files = sorted(path for path in folder.glob("*.yml") if not path.name.startswith("."))
    marks = {path.stem: _mark(path) for path in files}
    kept = {name: known[name] for name, mark in marks.items() if known.get(name, {}).get("mark") == mark}
    if len(kept) == len(marks) and marks:
        return _shown(kept, sees), []
    entries, broken = _survey(folder, kept)
    _write(file, {name: {**entry, "mark": marks[name]} for name, entry in entries.items() if name in marks})
    return _shown(entries, sees), broken


def _shown(entries: dict[str, Any], sees: _Sees) -> list[dict[str, Any]]:
    return [entry["summary"] for entry in entries.values() if sees(entry["view"])]


def _survey(folder: Path, known: dict[str, Any]) -> tuple[dict[str, Any], list[ManifestError]]:
    from bedplate.catalog import InvalidManifestError, load_catalog
    from bedplate.commands.product_view import summary_document

    catalog = load_catalog(folder)
    entries: dict[str, Any] = {}
    broken: list[ManifestError] = []
    for name in catalog.names():
        try:
            if name in known:
                entries[name] = known[name]
                continue
            product = catalog.get(name)
            entries[name] = {"summary": summary_document(product), "view": product.access.view}
        except InvalidManifestError as error:
            broken.append(error)
    return entries, broken


def _mark(path: Path) -> _Mark:
    """Return what changes whenever a file does; nothing for a link that leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _rules() -> _Mark:
    """Return what changes whenever the rules of manifests do: this version, and the files that they stand in."""
    return [_SHAPE, __version__, max(file.stat().st_mtime_ns for file in _PACKAGE.glob("*.py"))]


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    fits = isinstance(data, dict) and data.get("rules") == _rules() and isinstance(data.get("products"), dict)
    return data["products"] if fits else {}


def _write(file: Path, products: dict[str, Any]) -> None:
    text = json.dumps({"rules": _rules(), "products": products})
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
