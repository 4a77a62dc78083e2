"""The JSON Schema of manifests, for editors and for checks without Bedplate."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bedplate.catalog.product import Product

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class _ManifestSchema(GenerateJsonSchema):
    """Keys that may be left out must not be null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        return False


def product_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a product's manifest."""
    schema = Product.model_json_schema(schema_generator=_ManifestSchema)
    head = {"$schema": DRAFT, "$id": "product.schema.json", "title": "Bedplate product manifest"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}
