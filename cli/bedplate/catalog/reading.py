"""The catalog: a folder of manifests, each read when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from bedplate.catalog.faults import InvalidManifestError, ManifestFault, explain, key_text
from bedplate.catalog.product import Product
from bedplate.catalog.yaml_tree import YamlError, YamlTree, parse_yaml
from bedplate.errors import ManifestError, NotFoundError


@dataclass(frozen=True)
class Manifest:
    """A product and where its keys are in the file."""

    path: Path
    product: Product
    tree: YamlTree

    def fault(self, path: tuple[str | int, ...], sentence: str, *, warning: bool = False) -> ManifestFault:
        """Return a fault at a key of this manifest."""
        line, column = self.tree.place(path)
        return ManifestFault(
            display(self.path), line, column, key_text(path), sentence, "warning" if warning else "error"
        )


class Catalog:
    """The products in a folder. Files are read on demand, and once.

    Args:
        folder: one manifest `<product>.yml` a product; names that begin with a dot are left alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Manifest] = {}

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(file.stem for file in self.folder.glob("*.yml") if not file.name.startswith(".")))

    def names(self) -> tuple[str, ...]:
        """Return the names of all products, by file name alone."""
        return self._names

    def path(self, name: str) -> Path:
        """Return the manifest of a product. Raises NotFoundError."""
        if name not in self._names:
            near = get_close_matches(name, self._names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._names) or 'none'}"
            raise NotFoundError(f"there is no product {name!r}", hint=hint)
        return self.folder / f"{name}.yml"

    def get(self, name: str) -> Product:
        """Return a product.

        Raises:
            NotFoundError: there is no such product; the nearest name is in the hint.
            ManifestError: its manifest has faults, each named with file, line and key.
        """
        return self.manifest(name).product

    def manifest(self, name: str) -> Manifest:
        """Return a product with the places of its keys; raises as `get` does."""
        if name not in self._read:
            self._read[name] = read_manifest(self.path(name))
        return self._read[name]

    def products(self) -> list[Product]:
        """Return all products, by name. Raises ManifestError with all faults of all manifests."""
        good, broken = self.survey()
        if broken:
            raise InvalidManifestError(fault for error in broken for fault in error.faults)
        return good

    def survey(self) -> tuple[list[Product], list[InvalidManifestError]]:
        """Return the products that can be read, and for each of the others what is wrong."""
        good, broken = [], []
        for name in self._names:
            try:
                good.append(self.get(name))
            except InvalidManifestError as error:
                broken.append(error)
        return good, broken


def load_catalog(folder: Path) -> Catalog:
    """Return the catalog in a folder; nothing is parsed yet.

    Raises:
        ManifestError: there is no such folder.
    """
    if not folder.is_dir():
        raise ManifestError("there is no folder of manifests here", where=str(folder))
    return Catalog(folder)


def read_manifest(path: Path) -> Manifest:
    """Read one manifest.

    Raises:
        InvalidManifestError: all its faults.
    """
    file = display(path)
    try:
        tree = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidManifestError([ManifestFault(file, 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidManifestError([ManifestFault(file, 1, 1, "", "is not UTF-8 text")]) from error
    except YamlError as error:
        fault = ManifestFault(file, error.line, error.column, key_text(error.path), error.sentence)
        raise InvalidManifestError([fault]) from error
    return Manifest(path, _validate(tree, path.stem, file), tree)


def _validate(tree: YamlTree, stem: str, file: str) -> Product:
    product, found = None, [(path, "is empty; give it a value or leave the key out") for path in tree.empty]
    if not isinstance(tree.data, dict):
        found = [((), "must be a mapping with the keys of a product")]
    elif not found:
        try:
            product = Product.model_validate(tree.data)
        except ValidationError as error:
            found = list(explain(error, Product))
        found += list(_name_faults(tree.data.get("name"), stem))
    if product is None or found:
        faults = (ManifestFault(file, *tree.place(path), key_text(path), sentence) for path, sentence in found)
        raise InvalidManifestError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return product


def _name_faults(name: object, stem: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(name, str) and name != stem:
        yield ("name",), f"must be {stem}, like the file's name"


def display(path: Path) -> str:
    """Return a path as people would type it: relative where that is shorter."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
