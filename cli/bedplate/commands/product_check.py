"""All that `bedplate product check` looks at: manifests, and then what they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bedplate.catalog import InvalidManifestError, Manifest, ManifestFault, check_product, load_catalog, read_manifest
from bedplate.catalog.reading import display
from bedplate.content import Content, find_content
from bedplate.errors import SettingsError
from bedplate.execution.syntax import syntax_faults
from bedplate.settings import Settings
from bedplate.teams import Teams, load_teams


@dataclass(frozen=True)
class _Place:
    """Where a manifest stands: the folder of its catalog, and the root of its collection."""

    folder: Path
    root: Path
    docs: bool


def check_files(
    paths: Sequence[Path], content: Content, settings: Settings, *, ansible: bool = True
) -> list[ManifestFault]:
    """Return the faults of manifests and of all that belongs to them.

    Args:
        ansible: let ansible read the playbooks too, where nothing else is wrong with them.

    Raises:
        SettingsError: the file of teams cannot be used.
        EngineError: ansible could not be started.
    """
    teams = load_teams(settings)
    faults: list[ManifestFault] = []
    readable = {}
    for path in paths:
        place = _place(path, content)
        try:
            manifest = read_manifest(path)
        except InvalidManifestError as error:
            faults += error.faults
            continue
        found = _check(manifest, place, teams)
        faults += found
        playbook = place.root / manifest.product.playbook
        if playbook.is_file() and not any(fault.file == display(playbook) for fault in found):
            readable[playbook] = place.root
    return faults + (_syntax(readable, content, settings) if ansible else [])


def _check(manifest: Manifest, place: _Place, teams: Teams | None) -> list[ManifestFault]:
    names = load_catalog(place.folder).names()
    return check_product(manifest, place.root, names, datetime.now(UTC).date(), docs=place.docs, teams=teams)


def _place(path: Path, content: Content) -> _Place:
    if path.parent != content.products and path.parts[-3:-1] == ("playbooks", "products"):
        return _Place(path.parent, path.parents[2], docs=True)
    return _Place(content.products, content.root, docs=content.is_clone)


def _syntax(playbooks: dict[Path, Path], content: Content, settings: Settings) -> list[ManifestFault]:
    faults: list[ManifestFault] = []
    for root in dict.fromkeys(playbooks.values()):
        of_root = [playbook for playbook, its_root in playbooks.items() if its_root == root]
        faults += [
            ManifestFault(display(fault.file), fault.line, fault.column, "", fault.sentence)
            for fault in syntax_faults(of_root, _content_at(root, content), settings)
        ]
    return faults


def _content_at(root: Path, content: Content) -> Content:
    """Return the collection at a root; ours where there is none, so that its modules are found."""
    try:
        return content if root == content.root else find_content(root)
    except SettingsError:
        return content
