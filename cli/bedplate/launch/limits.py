"""What a product's manifest asks for, and who orders, as the guardrails see it."""

from __future__ import annotations

import os
import pwd

from bedplate.catalog import Product
from bedplate.errors import SettingsError
from bedplate.guardrails import Limits, Person
from bedplate.guardrails.windows import MaintenanceWindow, fixed_window
from bedplate.settings import Settings
from bedplate.teams import load_teams

_BATCHES = ("canary", "serial_by", "max_fail_percent")


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
        batches=tuple(key for key in _BATCHES if getattr(guardrails, key) is not None),
    )


def person_of(settings: Settings, requester: str | None = None) -> Person:
    """Return who gives this order: who the operating system says, or who the settings say where that is trusted.

    Args:
        requester: who ordered it before, when a pending run goes on: that person counts, whoever starts it now.

    Raises:
        SettingsError: the teams file cannot be read.
    """
    teams = load_teams(settings)
    login = _login()
    name = settings.access.user or (login if teams else settings.user)
    trusted = requester is not None or name == login or os.getuid() == 0
    person = requester or name
    mine = teams.of(person) if teams else frozenset(settings.access.teams)
    return Person(person, login, mine, listed=teams is not None, trusted=trusted)


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


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
