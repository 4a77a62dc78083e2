"""The catalog: products, their manifests, and the rules of their parameters."""

from __future__ import annotations

from bedplate.catalog.assignments import parse_assignments, parse_parameters
from bedplate.catalog.checking import check_product
from bedplate.catalog.faults import InvalidManifestError, ManifestFault
from bedplate.catalog.parameter import Parameter
from bedplate.catalog.product import Product, Stage, TargetClass, Targets
from bedplate.catalog.reading import Catalog, Manifest, load_catalog, read_manifest
from bedplate.catalog.resolution import FleetNames, ResolvedParameters, resolve_parameters
from bedplate.catalog.schema import product_schema

__all__ = [
    "Catalog",
    "FleetNames",
    "InvalidManifestError",
    "Manifest",
    "ManifestFault",
    "Parameter",
    "Product",
    "ResolvedParameters",
    "Stage",
    "TargetClass",
    "Targets",
    "check_product",
    "load_catalog",
    "parse_assignments",
    "parse_parameters",
    "product_schema",
    "read_manifest",
    "resolve_parameters",
]
