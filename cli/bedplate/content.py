"""Where the Ansible content lies: in a clone, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bedplate.errors import SettingsError

_PACKAGE = Path(__file__).resolve().parent
_COLLECTION = Path("ansible_collections/bedplate/datacenter")


class Content(NamedTuple):
    """The root of the collection `bedplate.datacenter` and the folders that matter in it.

    Attributes:
        root: the collection's root (the clone's root, or a folder inside the wheel).
        collections_path: the folder that Ansible searches for `ansible_collections/`.
    """

    root: Path
    collections_path: Path

    @property
    def playbooks(self) -> Path:
        return self.root / "playbooks"

    @property
    def products(self) -> Path:
        """The catalog: one manifest a product."""
        return self.root / "playbooks" / "products"

    @property
    def roles(self) -> Path:
        return self.root / "roles"

    @property
    def inventories(self) -> Path:
        return self.root / "inventories"

    @property
    def lab(self) -> Path:
        """The host factory of the lab."""
        return self.root / "molecule" / "shared"

    @property
    def is_clone(self) -> bool:
        return not self.root.is_relative_to(_PACKAGE)


def find_content(root: Path | None = None) -> Content:
    """Return the content at `root`, or what this package came with.

    Args:
        root: the root of a clone or of an installed collection; by default the clone that this package was
            installed from in editable mode, else the content inside the wheel.

    Raises:
        SettingsError: there is no collection at that place.
    """
    if root is not None:
        candidates = [root.expanduser().resolve()]
    else:
        candidates = [_PACKAGE / "_content" / _COLLECTION, _PACKAGE.parent.parent]
    for candidate in candidates:
        if (candidate / "galaxy.yml").is_file() or (candidate / "MANIFEST.json").is_file():
            return Content(candidate, _collections_path(candidate))
    raise SettingsError(
        "no Ansible content here",
        where=str(candidates[-1]),
        hint="content.path names the root of a clone or of the installed collection bedplate.datacenter",
    )


def _collections_path(root: Path) -> Path:
    if root.parts[-3:] == _COLLECTION.parts:
        return root.parents[2]
    return root / "collections"
