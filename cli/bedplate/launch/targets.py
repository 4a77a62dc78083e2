"""Which hosts an order means, and which of them are within a product's bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bedplate.catalog import Product, Targets
from bedplate.errors import NotFoundError
from bedplate.execution.inventory import InventoryAdapter
from bedplate.guardrails import Bound
from bedplate.guardrails.verdict import listed


@dataclass(frozen=True)
class Target:
    """The hosts of a run.

    Attributes:
        hosts: those that are within all bounds.
        bounds: what the product is bound to, and which hosts are outside.
        warnings: what of the limit was left out, and why.
    """

    hosts: tuple[str, ...]
    bounds: tuple[Bound, ...] = ()
    warnings: tuple[str, ...] = ()


def resolve_target(
    product: Product, adapter: InventoryAdapter, limit: str | None, hosts: Sequence[str] | None = None
) -> Target:
    """Return the hosts of an order, cut to what the product may run on.

    Args:
        limit: the pattern as it was typed; without one the product's default, or all hosts.
        hosts: exactly these hosts, instead of a pattern.

    Raises:
        InventoryError: there is no usable inventory.
        UsageError: the limit is empty.
        NotFoundError: the limit matches nothing; says what was near.
    """
    default = product.targets.default_limit
    asked = _known(adapter, hosts) if hosts is not None else adapter.resolve(default if limit is None else limit)
    kept, bounds = _cut(product.targets, adapter, asked)
    told = bool(limit or hosts)
    warnings = [
        f"left out, because {product.name} runs only on {bound.why}: {listed(bound.outside)}"
        for bound in bounds
        if told and bound.outside and not bound.none_left
    ]
    return Target(tuple(kept), tuple(bounds), tuple(warnings))


def _known(adapter: InventoryAdapter, hosts: Sequence[str]) -> list[str]:
    known = set(adapter.names.hosts)
    missing = [host for host in hosts if host not in known]
    if missing:
        raise NotFoundError(f"no longer in the inventory: {listed(missing)}", hint="order it anew with a limit")
    return list(hosts)


def _cut(targets: Targets, adapter: InventoryAdapter, asked: Sequence[str]) -> tuple[list[str], list[Bound]]:
    kept, bounds = list(asked), []
    for rule, allowed, why in _bounds(targets, adapter):
        inside = [host for host in kept if host in allowed]
        outside = tuple(host for host in kept if host not in allowed)
        bounds.append(Bound(rule, why, outside, none_left=bool(kept) and not inside))
        kept = inside
    return kept, bounds


def _bounds(targets: Targets, adapter: InventoryAdapter) -> list[tuple[str, set[str], str]]:
    bounds = []
    if targets.classes is not None:
        groups = [f"class_{kind.value}" for kind in targets.classes]
        hosts = {host for group in groups for host in adapter.names.below(group).hosts}
        classes = " or ".join(kind.value for kind in targets.classes)
        bounds.append(("host_class", hosts, f"hosts of class {classes}"))
    if targets.force_limit is not None:
        hosts = set(adapter.resolve(targets.force_limit))
        bounds.append(("forced_limit", hosts, f"hosts of {targets.force_limit!r}"))
    return bounds
