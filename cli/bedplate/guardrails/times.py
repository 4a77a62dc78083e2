"""Rules over when: freezes, maintenance windows, and the check that comes first. A check may always run."""

from __future__ import annotations

from datetime import datetime

from bedplate.guardrails.calendars import Freeze
from bedplate.guardrails.order import Order
from bedplate.guardrails.verdict import Outcome, Verdict, listed
from bedplate.guardrails.windows import MaintenanceWindow, parse_window, shown


def freeze(order: Order) -> Verdict:
    """No calendar says that nothing is changed now."""
    if order.check:
        return _check_only("freeze")
    if not order.freezes and not order.calendar_faults:
        return Verdict("freeze", Outcome.NOT_APPLICABLE, "no calendar is to be looked at")
    if order.calendar_faults:
        faults = "; ".join(f"the calendar {name} {fault}" for name, fault in order.calendar_faults.items())
        helper = f"what cannot be read cannot be kept to; ask {order.keeper}"
        return Verdict("freeze", Outcome.REFUSED, faults, helper)
    held = {name: found for name, found in order.freezes.items() if found is not None}
    if not held:
        return Verdict("freeze", Outcome.OK, f"no freeze now in {', '.join(order.freezes)}")
    sentence = "; ".join(map(freeze_text, held.values()))
    contacts = [found.contact for found in held.values() if found.contact]
    return Verdict("freeze", Outcome.REFUSED, sentence, ", ".join(contacts) or order.limits.help)


def freeze_text(found: Freeze) -> str:
    """Return a freeze as a sentence."""
    return f"frozen by {found.name!r} until {shown(found.end)}"


def window(order: Order) -> Verdict:
    """Every host may be changed at this hour."""
    limits = order.limits
    if limits.window is None and limits.window_field is None:
        return Verdict("window", Outcome.NOT_APPLICABLE, "hosts may be changed at any hour")
    if order.check:
        return _check_only("window")
    if limits.window is not None:
        return _fixed(order, limits.window)
    faults = _closed_hosts(order)
    if not faults:
        return Verdict("window", Outcome.OK, f"the windows of all {len(order.hosts)} hosts are open")
    texts = [f"{why}: {listed(hosts)}" for why, hosts in faults.items()]
    return Verdict("window", Outcome.REFUSED, "; ".join(texts), f"narrow it with --limit, or ask {limits.help}")


def dry_run_first(order: Order) -> Verdict:
    """A check of the same content, parameters and hosts ended well not long ago."""
    longest = order.limits.dry_run_first
    if longest is None:
        return Verdict("dry_run_first", Outcome.NOT_APPLICABLE, "no check has to come first")
    if order.check:
        return _check_only("dry_run_first")
    hours = f"{longest.total_seconds() / 3600:g} h"
    if order.checked_at is not None and order.now - order.checked_at <= longest:
        return Verdict("dry_run_first", Outcome.OK, f"checked at {shown(order.checked_at)}")
    sentence = f"no successful check of the same content, parameters and hosts in the last {hours}"
    return Verdict("dry_run_first", Outcome.REFUSED, sentence, "order the same with --check first")


def _fixed(order: Order, hours: MaintenanceWindow) -> Verdict:
    if hours.is_open(order.now):
        return Verdict("window", Outcome.OK, "the window is open")
    return Verdict("window", Outcome.REFUSED, _closed(hours, order.now), order.limits.help)


def _closed_hosts(order: Order) -> dict[str, list[str]]:
    """Return why windows are not open → the hosts. Hosts with the same text are judged once."""
    texts: dict[str | None, list[str]] = {}
    for host in order.hosts:
        texts.setdefault(order.windows.get(host), []).append(host)
    faults: dict[str, list[str]] = {}
    for text, hosts in texts.items():
        why = _why_closed(text, order)
        if why is not None:
            faults.setdefault(why, []).extend(hosts)
    return faults


def _why_closed(text: str | None, order: Order) -> str | None:
    if not text:
        return f"no window in the custom field {order.limits.window_field}"
    try:
        parsed = parse_window(text)
    except ValueError as fault:
        return f"the custom field {order.limits.window_field} is wrong: {fault}"
    return None if parsed.is_open(order.now) else _closed(parsed, order.now)


def _closed(hours: MaintenanceWindow, now: datetime) -> str:
    opens = hours.next_opening(now)
    return f"the window is closed, it opens at {shown(opens)}" if opens else "the window never opens"


def _check_only(rule: str) -> Verdict:
    return Verdict(rule, Outcome.NOT_APPLICABLE, "a check changes nothing")
