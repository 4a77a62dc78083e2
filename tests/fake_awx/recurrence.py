"""What AWX checks of a schedule's rrule, and what it makes of it; each sentence was recorded."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule as dates
from dateutil import tz

from fake_awx.answers import bad

_START = re.compile(r"DTSTART(;TZID=(?P<zone>[^:]+))?:(?P<time>\d{8}T\d{6})(?P<z>Z?)", re.IGNORECASE)
_NO_ZONE = "rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)"
_NO_START = "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"
_NAIVE = "DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ."
_MANY = "rrule parsing failed validation: DTSTART/EXDATE specifies multiple timezone"


def read_rrule(text: str) -> dict[str, Any]:
    """Return what AWX says of a rule: next_run, timezone, until, dtend, and the rule as it stores it."""
    text = re.sub(r"\s+", " ", text)
    start = _START.match(text)
    if not start and "RULE:" not in text.upper():
        raise bad(
            "rrule",
            _NO_START,
            "One or more rule required in rrule.",
            "rrule parsing failed validation: not enough values to unpack (expected 2, got 1)",
        )
    if not start:
        raise bad("rrule", _NO_START, _NO_ZONE)
    if not start["zone"] and not start["z"]:
        raise bad("rrule", _NAIVE, _NO_ZONE)
    if start["zone"] and start["z"]:
        raise bad("rrule", _MANY)
    if start["zone"] and not tz.gettz(start["zone"]):
        raise bad("rrule", _NO_ZONE)
    _check_rules(text)
    if start["zone"]:
        text = _until_in_utc(text, ZoneInfo(start["zone"]))
    return {"rrule": text, "timezone": start["zone"] or "UTC", **_dates(text, start)}


def _check_rules(text: str) -> None:
    for word in ("EXDATE", "RDATE"):
        if word in text:
            raise bad("rrule", f"{word} not allowed in rrule.")
    for rule in re.findall(r"(?<=R)RULE:\S+", text):
        parts = dict(part.split("=") for part in rule.split(":", 1)[1].upper().split(";"))
        sentence = _rule_fault(rule, parts)
        if sentence:
            raise bad("rrule", sentence)


def _rule_fault(rule: str, parts: dict[str, str]) -> str | None:
    faults = {
        f"INTERVAL required in rrule: {rule}": "INTERVAL" not in parts,
        f"SECONDLY is not supported: {rule}": parts["FREQ"] == "SECONDLY",
        f"BYDAY with numeric prefix not supported: {rule}": bool(re.search(r"[0-9]", parts.get("BYDAY", ""))),
        f"RRULE may not contain both COUNT and UNTIL: {rule}": {"COUNT", "UNTIL"} <= set(parts),
        f"COUNT > 999 is unsupported: {rule}": int(parts.get("COUNT", 0)) > 999,
        "rrule parsing failed validation: 'NoneType' object has no attribute 'group'": bool(
            re.fullmatch(r"\d{8}", parts.get("UNTIL", ""))
        ),
    }
    return next((sentence for sentence, holds in faults.items() if holds), None)


def _dates(text: str, start: re.Match[str]) -> dict[str, Any]:
    zone = ZoneInfo(start["zone"] or "UTC")
    begin = datetime.strptime(start["time"], "%Y%m%dT%H%M%S").replace(tzinfo=zone)
    rules = dates.rruleset()
    until = ""
    for kind, rule in re.findall(r"\b(EX|R)RULE:(\S+)", text, re.IGNORECASE):
        each = dates.rrulestr(_in_zone(rule.upper(), zone), dtstart=begin.replace(tzinfo=None))
        (rules.exrule if kind.upper() == "EX" else rules.rrule)(each)  # type: ignore[arg-type]
        if kind.upper() == "R" and each._until:
            until = each._until.isoformat()
    ends = re.search(r"COUNT=|UNTIL=", text)
    after = max(begin, datetime.now(UTC)).astimezone(zone).replace(tzinfo=None) - timedelta(seconds=1)
    following = next((each for each in rules.xafter(after) if _exists(each, zone)), None)
    last = list(rules)[-1] if ends else None
    return {"next_run": _utc(following, zone), "dtend": _utc(last, zone), "until": until}


def _exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Clocks that are put forward leave an hour out; AWX starts nothing then."""
    return tz.datetime_exists(moment.replace(tzinfo=zone))


def _until_in_utc(text: str, zone: ZoneInfo) -> str:
    def utc(found: re.Match[str]) -> str:
        moment = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=zone)
        return f"UNTIL={moment.astimezone(UTC):%Y%m%dT%H%M%S}Z"

    return re.sub(r"UNTIL=(\d{8}T\d{6})(?!Z)", utc, text)


def _in_zone(rule: str, zone: ZoneInfo) -> str:
    def local(found: re.Match[str]) -> str:
        moment = datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return f"UNTIL={moment.astimezone(zone):%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=(\d{8}T\d{6})Z", local, rule)


def _utc(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return f"{moment.replace(tzinfo=zone).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None
