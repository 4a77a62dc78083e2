"""The collection reads a manifest's words as the command does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from bedplate.catalog import load_catalog
from bedplate.catalog.yaml_tree import parse_yaml

ROOT = Path(__file__).parents[2]
PRODUCTS = ROOT / "playbooks" / "products"
WORDS = """
    yes no on off Yes TRUE True true False false null Null ~ 0 -1 +2 007 0644 0x1f 0o17 1_000 1.5 .5 1. -0.25 1e3 1.5e-3
    12:30 1:20:30 2026-01-01 2026-01-01T10:00:00Z .inf .nan <<: = a '1' "true" 1.2.3
""".split()  # noqa: SIM905 (reads better)


def load_reader() -> ModuleType:
    """Load the collection's reader from its file, without ansible."""
    path = ROOT / "plugins" / "plugin_utils" / "parameters_manifest.py"
    spec = importlib.util.spec_from_file_location("parameters_manifest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


READER = load_reader()


@pytest.mark.parametrize("word", WORDS)
def test_a_word_means_the_same(tmp_path: Path, word: str) -> None:
    text = f"parameters:\n  - name: x\n    default: {word.removesuffix(':')}\n"
    (tmp_path / "sample.yml").write_text(text, encoding="utf-8")
    parameters, _ = READER.read_parameters("sample", str(tmp_path))
    ours = parse_yaml(text).data["parameters"][0]["default"]
    theirs = parameters[0]["default"]
    assert (type(theirs), theirs) == (type(ours), ours)


@pytest.mark.parametrize("name", load_catalog(PRODUCTS).names())
def test_our_products_are_read_alike(name: str) -> None:
    product = load_catalog(PRODUCTS).get(name)
    parameters, knows_fleet = READER.read_parameters(name)
    assert [each["name"] for each in parameters] == [each.name for each in product.parameters]
    assert knows_fleet == (product.targets.context == "fleet")
    guardrails = product.guardrails
    limits = {key: getattr(guardrails, key) for key in ("canary", "serial_by", "max_fail_percent")}
    limits["max_hosts"] = product.targets.max_hosts
    assert READER.read_limits(name) == {key: value for key, value in limits.items() if value is not None}
