"""Who hears of a product's results in AWX: receivers as notification templates, and where they hang."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from bedplate.awx.kinds import EVENTS, Ref
from bedplate.awx.marks import secret_digest
from bedplate.awx.receivers import notifications_of
from bedplate.awx.site import Site
from bedplate.awx.wanted import Wanted, wanted
from bedplate.catalog import Product

_OUTCOMES = {"successful": "success", "failed": "error", "canceled": "error", "expired": "error"}


def heard_by(products: Iterable[Product]) -> list[str]:
    """Return the names of all receivers that hear of these products."""
    return sorted({name for product in products for names in _heard(product).values() for name in names})


def notification_templates(name: str, site: Site) -> Iterator[Wanted]:
    """Yield what a receiver becomes in AWX; one of the same name that somebody made by hand is used as it is."""
    for each in notifications_of(name, site.receivers.get(name, ())) or ():
        configuration = dict(each.configuration)
        yield wanted(
            "notification_template",
            each.name,
            summary="Who hears of results.",
            fields={"organization": Ref("organization", site.organization), "notification_type": each.kind},
            secrets={"notification_configuration": configuration},
            secret_state=secret_digest(json.dumps(configuration, sort_keys=True), each.name),
        )


def unknown_notification(name: str, site: Site) -> Iterator[str]:
    """Say that AWX has no type for a receiver."""
    addresses = site.receivers.get(name)
    if addresses is not None and notifications_of(name, addresses) is None:
        yield f"AWX has no type of notification for the receiver {name}; one made by hand of this name is used"


def notifications_on(product: Product, site: Site) -> dict[str, tuple[str, ...]]:
    """Return the notification templates that hang on a product's template, by event."""
    known = {name: notifications_of(name, addresses) for name, addresses in site.receivers.items()}
    return {
        event: tuple(sorted(each for name in names for each in ([n.name for n in known.get(name) or ()] or [name])))
        for event, names in _heard(product).items()
    }


def _heard(product: Product) -> dict[str, tuple[str, ...]]:
    receivers: dict[str, set[str]] = {event: set() for event in EVENTS}
    for notification in product.notifications:
        for outcome in notification.outcomes:
            if outcome in _OUTCOMES:
                receivers[_OUTCOMES[outcome]] |= set(notification.to)
    return {event: tuple(sorted(names)) for event, names in receivers.items()}
