"""Products as entities of Backstage: a Component to find each by, and a Template to order it with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bedplate.catalog import Parameter, Product, Stage
from bedplate.catalog.durations import PATTERN
from bedplate.reports.product_text import order_example

_LIFECYCLES = {
    Stage.EXPERIMENTAL: "experimental",
    Stage.BETA: "experimental",
    Stage.GA: "production",
    Stage.DEPRECATED: "deprecated",
}
_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean", "choices": "array"}
_LENGTHS = frozenset({"string", "text", "secret"})


def entities(products: Iterable[Product], launch_path: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the entities of a catalog-info.yaml.

    Args:
        launch_path: a path of Backstage's proxy that starts a product, with `{product}` in it; without one the
            template says which command to type.
    """
    for product in products:
        yield _component(product)
        yield _template(product, launch_path)


def _component(product: Product) -> dict[str, Any]:
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": _metadata(product, "product"),
        "spec": {
            "type": "infrastructure-product",
            "lifecycle": _LIFECYCLES[product.lifecycle.stage],
            "owner": f"group:default/{product.owner.team}",
        },
    }


def _metadata(product: Product, what: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": f"bedplate-{product.name}",
        "title": product.title,
        "description": product.summary,
        "annotations": {"bedplate.dev/product": product.name, "bedplate.dev/contact": product.owner.contact},
        "tags": sorted({"bedplate", what, *(tag.replace("_", "-") for tag in product.tags)}),
    }
    if product.docs and product.docs.startswith("https://"):
        document["links"] = [{"url": product.docs, "title": "Documentation"}]
    return document


def _template(product: Product, launch_path: str | None) -> dict[str, Any]:
    return {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": _metadata(product, "order"),
        "spec": {
            "owner": f"group:default/{product.owner.team}",
            "type": "infrastructure-product",
            "lifecycle": _LIFECYCLES[product.lifecycle.stage],
            "parameters": list(_forms(product)),
            "steps": [_step(product, launch_path)],
        },
    }


def _forms(product: Product) -> Iterator[dict[str, Any]]:
    yield {
        "title": "Where, and why",
        "required": [] if product.targets.default_limit else ["limit"],
        "properties": {
            "limit": {
                "type": "string",
                "title": "Hosts",
                "description": "Hosts and groups, as in Ansible.",
                **({"default": product.targets.default_limit} if product.targets.default_limit else {}),
            },
            "reason": {"type": "string", "title": "Reason", "description": "Kept with the run."},
        },
    }
    if product.parameters:
        always = [parameter for parameter in product.parameters if not parameter.when]
        at_times = [
            {"if": _condition(parameter.when), "then": _questions([parameter])}
            for parameter in product.parameters
            if parameter.when
        ]
        # An empty allOf is no valid schema: the form would show that instead of its questions.
        yield {"title": product.title, **_questions(always), **({"allOf": at_times} if at_times else {})}


def _questions(parameters: Iterable[Parameter]) -> dict[str, Any]:
    asked = list(parameters)
    return {
        "required": [parameter.name for parameter in asked if parameter.required],
        "properties": {parameter.name: _question(parameter) for parameter in asked},
    }


def _condition(when: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": {name: {"const": answer} for name, answer in when.items()}, "required": list(when)}


def _question(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES.get(parameter.type, "string"), "title": parameter.title}
    if parameter.help:
        schema["description"] = parameter.help.strip()
    if parameter.default is not None:
        schema["default"] = parameter.default
    schema |= _bounds(parameter)
    if parameter.type == "choices":
        schema |= {"uniqueItems": True, "items": {"type": "string", **_enum(parameter)}, "ui:widget": "checkboxes"}
    else:
        schema |= _enum(parameter)
    if parameter.is_secret:
        schema["ui:field"] = "Secret"
    elif parameter.type == "text":
        schema["ui:widget"] = "textarea"
    return schema


def _enum(parameter: Parameter) -> dict[str, Any]:
    return {"enum": parameter.choices} if parameter.choices else {}


def _bounds(parameter: Parameter) -> dict[str, Any]:
    kind, bounds = parameter.type, {"min": parameter.min, "max": parameter.max}
    names: Mapping[str, str] = {}
    if kind in _LENGTHS:
        names = {"min": "minLength", "max": "maxLength"}
    elif kind in {"integer", "number"}:
        names = {"min": "minimum", "max": "maximum"}
    elif kind == "choices":
        names = {"min": "minItems", "max": "maxItems"}
    schema: dict[str, Any] = {names[key]: bounds[key] for key in names if bounds[key] is not None}
    if kind == "duration":
        schema["pattern"] = PATTERN
    elif kind == "date":
        schema["format"] = "date"
    elif parameter.pattern is not None:
        schema["pattern"] = f"^(?:{parameter.pattern})$"
    return schema


def _step(product: Product, launch_path: str | None) -> dict[str, Any]:
    if launch_path is None:
        command = f"{order_example(product)} --limit HOSTS"
        return {"id": "order", "name": "Say how to order", "action": "debug:log", "input": {"message": command}}
    asked = {parameter.name: _answer(parameter) for parameter in product.parameters}
    return {
        "id": "order",
        "name": "Order",
        "action": "http:backstage:request",
        "input": {
            "method": "POST",
            "path": launch_path.replace("{product}", product.name),
            "headers": {"content-type": "application/json"},
            "body": {"limit": "${{ parameters.limit }}", "extra_vars": asked},
        },
    }


def _answer(parameter: Parameter) -> str:
    return f"${{{{ {'secrets' if parameter.is_secret else 'parameters'}.{parameter.name} }}}}"
