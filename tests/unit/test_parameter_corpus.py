"""The same cases for both implementations of the rules of parameters: the command's and the collection's."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bedplate.catalog import FleetNames, Parameter, Product, resolve_parameters
from bedplate.errors import ParameterError

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests/fixtures/parameters/corpus.json").read_text(encoding="utf-8"))


def load_rules() -> ModuleType:
    """Load the collection's rules from their file, as Ansible does, without ansible."""
    spec = importlib.util.spec_from_file_location(
        "parameter_rules", ROOT / "plugins" / "plugin_utils" / "parameters.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RULES = load_rules()
each_case = pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])


def product_with(parameters: list[dict[str, Any]]) -> Product:
    return Product.model_validate(
        {
            "name": "sample",
            "title": "Sample",
            "summary": "A sample.",
            "owner": {"team": "platform", "contact": "platform@example.com"},
            "lifecycle": {"stage": "beta"},
            "playbook": "playbooks/sample.yml",
            "parameters": parameters,
        }
    )


def test_the_corpus_is_large_and_covers_every_type() -> None:
    types = {parameter.get("type", "string") for case in CASES for parameter in case["parameters"]}
    assert len(CASES) >= 60
    assert types == set(Parameter.model_json_schema()["properties"]["type"]["enum"])
    assert all(("values" in case) != ("faults" in case) for case in CASES)


@each_case
def test_the_command_answers_as_agreed(case: dict[str, Any]) -> None:
    fleet = FleetNames(**case["fleet"]) if "fleet" in case else None
    product = product_with(case["parameters"])
    if "faults" in case:
        with pytest.raises(ParameterError) as caught:
            resolve_parameters(product, case["given"], fleet)
        assert str(caught.value).split("\n") == case["faults"]
    else:
        values = resolve_parameters(product, case["given"], fleet).values
        assert values == case["values"]
        assert types_of(values) == types_of(case["values"])


@each_case
def test_the_collection_answers_as_agreed(case: dict[str, Any]) -> None:
    fleet = RULES.FleetNames(**case["fleet"]) if "fleet" in case else None
    values, faults = RULES.resolve(case["parameters"], case["given"], fleet)
    assert faults == case.get("faults", [])
    if "values" in case:
        assert values == case["values"]
        assert types_of(values) == types_of(case["values"])


@each_case
def test_a_canonical_value_is_its_own_canonical_value(case: dict[str, Any]) -> None:
    if "values" in case:
        again = resolve_parameters(product_with(case["parameters"]), case["values"]).values
        assert again == case["values"]


def types_of(values: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in values.items()}
