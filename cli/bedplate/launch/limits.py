"""What a product's manifest asks for, as the guardrails see it."""

from __future__ import annotations

from bedplate.catalog import Product
from bedplate.catalog.batch_keys import BATCH_KEYS
from bedplate.errors import SettingsError
from bedplate.guardrails import Limits
from bedplate.guardrails.windows import MaintenanceWindow, fixed_window


def limits_of(product: Product) -> Limits:
    """Return the limits of a product."""
    targets, access, guardrails = product.targets, product.access, product.guardrails
    approval = guardrails.approval
    return Limits(
        product=product.name,
        help=f"team {product.owner.team}, {product.owner.contact}",
        view=_names(access.view),
        run=_names(access.run),
        approve=_names(access.approve),
        sunset=product.lifecycle.sunset,
        replaced_by=product.lifecycle.replaced_by,
        max_hosts=targets.max_hosts,
        max_percent=targets.max_percent,
        exclusive=guardrails.exclusive,
        concurrency=guardrails.concurrency,
        window_field=guardrails.window.custom_field if guardrails.window else None,
        window=_fixed_window(product),
        dry_run_first=guardrails.dry_run_first,
        approvers=approval.approvers if approval else None,
        approval_expires=approval.expires if approval else None,
        batches=tuple(key for key in BATCH_KEYS if getattr(guardrails, key) is not None),
    )


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _fixed_window(product: Product) -> MaintenanceWindow | None:
    window = product.guardrails.window
    if window is None or window.start is None or window.end is None:
        return None
    try:
        return fixed_window(window.days, window.start, window.end, window.timezone)
    except ValueError as fault:
        raise SettingsError(str(fault), where=f"{product.name}: guardrails.window.timezone") from None
