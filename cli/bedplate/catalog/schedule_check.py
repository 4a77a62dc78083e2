"""What is wrong with the schedules of a product: when, in which zone, and with which answers."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from bedplate.catalog.calendar import parse_calendar
from bedplate.catalog.faults import ManifestFault
from bedplate.catalog.reading import Manifest
from bedplate.catalog.resolution import resolve_parameters
from bedplate.errors import ParameterError


def schedule_faults(manifest: Manifest) -> Iterator[ManifestFault]:
    """Yield what would keep a product from running by itself."""
    for index, schedule in enumerate(manifest.product.schedule):
        place = ("schedule", index)
        try:
            parse_calendar(schedule.calendar)
        except ValueError as error:
            yield manifest.fault((*place, "calendar"), str(error))
        if not is_zone(schedule.timezone):
            yield manifest.fault((*place, "timezone"), f"there is no time zone {schedule.timezone}")
        secrets = sorted(manifest.product.secret_names.intersection(schedule.parameters))
        for name in secrets:
            yield manifest.fault((*place, "parameters", name), "is a secret, which must not stand in a manifest")
        try:
            resolve_parameters(manifest.product, schedule.parameters)
        except ParameterError as error:
            for sentence in error.message.splitlines():
                yield manifest.fault((*place, "parameters"), sentence)


def is_zone(name: str) -> bool:
    """Return whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True
