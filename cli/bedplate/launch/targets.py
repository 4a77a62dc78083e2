"""Which hosts an order means, and whether a product may run on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bedplate.catalog import Product, Targets
from bedplate.errors import NotFoundError, RefusedError
from bedplate.execution.inventory import InventoryAdapter

_NAMED = 3


@dataclass(frozen=True)
class Target:
    """The hosts of a run.

    Attributes:
        warnings: what of the limit was left out, and why.
    """

    hosts: tuple[str, ...]
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
        RefusedError: the product may run on none of the hosts, or not on so many.
    """
    targets = product.targets
    asked = (
        _known(adapter, hosts)
        if hosts is not None
        else adapter.resolve(targets.default_limit if limit is None else limit)
    )
    kept, warnings = _cut(product, adapter, asked, told=bool(limit or hosts))
    _check_number(product.name, targets, len(kept), len(adapter.names.hosts))
    return Target(tuple(kept), tuple(warnings))


def _known(adapter: InventoryAdapter, hosts: Sequence[str]) -> list[str]:
    missing = [host for host in hosts if host not in set(adapter.names.hosts)]
    if missing:
        raise NotFoundError(f"no longer in the inventory: {_listed(missing)}", hint="order it anew with a limit")
    return list(hosts)


def _cut(
    product: Product, adapter: InventoryAdapter, asked: Sequence[str], *, told: bool
) -> tuple[list[str], list[str]]:
    kept, warnings = list(asked), []
    for allowed, why in _bounds(product.targets, adapter):
        out = [host for host in kept if host not in allowed]
        kept = [host for host in kept if host in allowed]
        if not kept:
            raise RefusedError(f"{product.name} runs only on {why}, not on {_listed(out)}")
        if out and told:
            warnings.append(f"left out, because {product.name} runs only on {why}: {_listed(out)}")
    return kept, warnings


def _bounds(targets: Targets, adapter: InventoryAdapter) -> list[tuple[set[str], str]]:
    bounds = []
    if targets.classes is not None:
        groups = [f"class_{kind.value}" for kind in targets.classes]
        hosts = {host for group in groups for host in adapter.names.below(group).hosts}
        bounds.append((hosts, f"hosts of class {' or '.join(kind.value for kind in targets.classes)}"))
    if targets.force_limit is not None:
        bounds.append((set(adapter.resolve(targets.force_limit)), f"hosts of {targets.force_limit!r}"))
    return bounds


def _check_number(name: str, targets: Targets, count: int, fleet: int) -> None:
    hint = "narrow it with --limit"
    if targets.max_hosts is not None and count > targets.max_hosts:
        raise RefusedError(f"{name} runs on at most {targets.max_hosts} hosts at once, not on {count}", hint=hint)
    most = None if targets.max_percent is None else int(fleet * targets.max_percent / 100)
    if most is not None and count > most:
        raise RefusedError(
            f"{name} runs on at most {targets.max_percent:g} % of the fleet at once, {most} of {fleet} hosts, "
            f"not on {count}",
            hint=hint,
        )


def _listed(hosts: Sequence[str]) -> str:
    named = ", ".join(hosts[:_NAMED])
    return f"{named} and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else named
