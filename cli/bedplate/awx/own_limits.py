"""Limits that a playbook keeps to by itself, so that AWX need not know them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bedplate.catalog import Product

# What a playbook says that cuts its hosts by the fact in which its first task leaves the limits of the manifest.
_CUTS = ("bedplate.datacenter.rolling_batches", "bedplate_limits")
_OF_BATCHES = ("canary", "serial_by", "max_fail_percent")


def limits_left_to_awx(products: Iterable[Product], root: Path) -> list[Product]:
    """Return the products without the limits that hold whoever starts them.

    The first task of every product refuses more hosts than `targets.max_hosts`, and a playbook that plans by
    `rolling_batches` keeps to the guardrails over batches.

    Args:
        root: the collection's root.
    """
    return [_left(product, root) for product in products]


def _left(product: Product, root: Path) -> Product:
    kept: dict[str, Any] = {"targets": product.targets.model_copy(update={"max_hosts": None})}
    if all(word in _text(root / product.playbook) for word in _CUTS):
        kept["guardrails"] = product.guardrails.model_copy(update=dict.fromkeys(_OF_BATCHES))
    return product.model_copy(update=kept)


def _text(playbook: Path) -> str:
    try:
        return playbook.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
