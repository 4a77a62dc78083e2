# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
"""Reads the parameters of a product from its manifest in this collection."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from typing import Any, ClassVar

import yaml

PRODUCTS = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "playbooks", "products"))
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_TAG = "tag:yaml.org,2002:"
_FIRST = "-+.0123456789"


class ManifestError(Exception):
    """The manifest is not there or cannot be used; the message says which and why."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML whose plain words are those of YAML 1.2, as the manifest's JSON Schema and editors see them."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _name, _pattern, _start in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", _FIRST),
    ("float", r"^[-+]?((0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)\.?[eE][-+]?[0-9]+)$", _FIRST),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_start))
_Loader.add_constructor(_TAG + "float", lambda loader, node: float(loader.construct_scalar(node)))


def read_parameters(product: str, folder: str = PRODUCTS) -> tuple[list[dict[str, Any]], bool]:
    """Return (list of parameters, whether the play knows the whole fleet).

    Raises:
        ManifestError: there is no such product, or its manifest cannot be used.
    """
    manifest = _read(product, folder)
    parameters = manifest.get("parameters") or []
    usable = isinstance(parameters, list) and all(isinstance(each, dict) and "name" in each for each in parameters)
    targets = manifest.get("targets") or {}
    if not usable or not isinstance(targets, dict):
        raise ManifestError("the manifest of product %s is not valid: run bedplate product check" % product)
    return parameters, targets.get("context") == "fleet"


def read_limits(product: str, folder: str = PRODUCTS) -> dict[str, Any]:
    """Return what the manifest limits that a play itself can keep to: `canary`, `serial_by`, `max_fail_percent` and
    `max_hosts`, those that it has.

    Raises:
        ManifestError: there is no such product, or its manifest cannot be used.
    """
    manifest = _read(product, folder)
    sections = {name: manifest.get(name) or {} for name in ("guardrails", "targets")}
    if not all(isinstance(section, dict) for section in sections.values()):
        raise ManifestError("the manifest of product %s is not valid: run bedplate product check" % product)
    limits = {key: sections["guardrails"].get(key) for key in ("canary", "serial_by", "max_fail_percent")}
    limits["max_hosts"] = sections["targets"].get("max_hosts")
    return {key: value for key, value in limits.items() if value is not None}


def _read(product: str, folder: str) -> dict[str, Any]:
    file = os.path.join(folder, "%s.yml" % product)
    if not isinstance(product, str) or not _NAME.fullmatch(product) or not os.path.isfile(file):
        raise ManifestError("there is no product %r%s" % (str(product), _near(product, folder)))
    try:
        with open(file, encoding="utf-8") as stream:
            manifest = yaml.load(stream, Loader=_Loader)  # noqa: S506 (the loader is a safe one)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ManifestError("%s cannot be read: %s" % (file, error)) from error
    if not isinstance(manifest, dict):
        raise ManifestError("%s must be a mapping" % file)
    return manifest


def _near(product: str, folder: str) -> str:
    names = sorted(name[: -len(".yml")] for name in os.listdir(folder) if name.endswith(".yml"))
    near = get_close_matches(str(product), names, n=1)
    return " (did you mean %s?)" % near[0] if near else " (known are %s)" % ", ".join(names)
