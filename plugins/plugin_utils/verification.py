# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What the findings on a host and on its observers mean: one verdict a check.

A check has passed or failed; it is `blocked` where another failure keeps it from being judged, and `skipped` where it
does not apply, or where only reading was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PASSED, FAILED, BLOCKED, SKIPPED = "passed", "failed", "blocked", "skipped"
CHECKS = ("reach", "metrics", "logs", "clock", "accounts", "ports", "alert")
_READ_ONLY = "nothing is written in check mode"
_EXPIRED = "; its certificate has expired"
_FIREWALL = "bedplate-firewall"


@dataclass(frozen=True)
class Verdict:
    """The result of one check of one host."""

    check: str
    status: str
    detail: str


@dataclass(frozen=True)
class Expectation:
    """What is right for one host.

    Attributes:
        accounts: keys by account that may get in; None where its keys are nobody's business here.
        ports: what may be reached, such as `22/tcp`.
        logs_to: the observer that gets its logs; empty where none of ours does.
        clock_limit: seconds.
        firewall: whether the host is to have one.
        skipped: checks that are not wanted, with the reason.
    """

    accounts: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    ports: frozenset[str] = frozenset()
    logs_to: str = ""
    clock_limit: float = 1.0
    firewall: bool = False
    skipped: Mapping[str, str] = field(default_factory=dict)


def judge(
    expected: Expectation,
    host: Mapping[str, Any] | None,
    watched: Mapping[str, Mapping[str, Any]],
    reached: Sequence[int],
    unasked: str = "",
) -> list[Verdict]:
    """Return the verdicts of one host, in the order of CHECKS.

    Args:
        host: what `verify_host` answered, and as `delivery` what it said of a line that did not arrive; None where
            nothing is known of the host.
        watched: by observer, what `verify_observer` answered, cut to this host (`seen`).
        reached: the TCP ports that answered from outside.
        unasked: why nothing is known of the host.
    """
    if host is None:
        blocked = [Verdict(check, BLOCKED, "nothing is known of the host") for check in CHECKS[1:]]
        return [Verdict("reach", FAILED, unasked), *blocked]
    metrics = _metrics(host, watched)
    found = {
        "reach": Verdict("reach", PASSED, ""),
        "metrics": metrics,
        "logs": _logs(expected, host, watched),
        "clock": _clock(expected, host, watched),
        "accounts": _accounts(expected, host),
        "ports": _ports(expected, host, reached),
        "alert": _alert(host, watched, metrics),
    }
    return [
        Verdict(check, SKIPPED, expected.skipped[check]) if check in expected.skipped else found[check]
        for check in CHECKS
    ]


def _first(*faults: str) -> str:
    return next((fault for fault in faults if fault), "")


def _verdict(check: str, fault: str, well: str) -> Verdict:
    return Verdict(check, FAILED if fault else PASSED, fault or well)


def _metrics(host: Mapping[str, Any], watched: Mapping[str, Mapping[str, Any]]) -> Verdict:
    if not watched:
        return Verdict("metrics", FAILED, "the inventory has no observer (group role_observer)")
    faults = [_metrics_fault(name, each, host) for name, each in watched.items()]
    exporter = host["services"].get("prometheus-node-exporter", "active")
    fault = _first(*faults)
    if fault and exporter != "active":
        fault += "; prometheus-node-exporter is {0}".format(exporter)
    fault += _EXPIRED if fault and host["certificate_expired"] else ""
    waited = max((each["seen"]["metrics"] or 0 for each in watched.values() if each.get("seen")), default=0)
    after = " after {0} s".format(waited) if host["token"] else ""
    return _verdict("metrics", fault, "at {0}{1}".format(", ".join(watched), after))


def _metrics_fault(observer: str, watch: Mapping[str, Any], host: Mapping[str, Any]) -> str:
    if watch.get("error"):
        return "{0} cannot tell: {1}".format(observer, watch["error"])
    target = watch["seen"]["target"]
    if target is None:
        return "{0} has no scrape target for it".format(observer)
    if target["health"] != "up":
        return "{0} cannot scrape it: {1}".format(observer, target["error"] or target["health"])
    if not target["fresh"]:
        return "{0} has not scraped it since the proof began".format(observer)
    if host["token"] and watch["seen"]["metrics"] is None:
        unwritten = host.get("unwritten")
        there = "a metric written now did not reach {0}".format(observer)
        return "the metric could not be written: {0}".format(unwritten) if unwritten else there
    return ""


def _logs(expected: Expectation, host: Mapping[str, Any], watched: Mapping[str, Mapping[str, Any]]) -> Verdict:
    receiver = expected.logs_to
    if not receiver:
        return Verdict("logs", SKIPPED, "its logs go to none of our observers")
    if not host["token"]:
        return Verdict("logs", SKIPPED, _READ_ONLY)
    watch = watched.get(receiver, {"error": "it is no observer of this host"})
    if watch.get("error") and not watch.get("seen"):
        return Verdict("logs", FAILED, "{0} cannot tell: {1}".format(receiver, watch["error"]))
    after = watch["seen"]["log"]
    if after is not None:
        return Verdict("logs", PASSED, "at {0} after {1} s".format(receiver, after))
    fault = "a line logged now did not reach {0}; rsyslog is {1}".format(
        receiver, host["services"].get("rsyslog", "unknown")
    )
    fault += _delivery(host.get("delivery", {}))
    return Verdict("logs", FAILED, fault + (_EXPIRED if host["certificate_expired"] else ""))


def _delivery(found: Mapping[str, Any]) -> str:
    """Return what a host says of lines that did not arrive, where it could be asked."""
    if "connected" not in found:
        return ""
    peers = " and ".join(found["connected"]) or "nobody"
    return ", connected to {0}".format(peers) + (" and says: {0}".format(found["words"]) if found["words"] else "")


def _clock(expected: Expectation, host: Mapping[str, Any], watched: Mapping[str, Mapping[str, Any]]) -> Verdict:
    clock, limit = host["clock"], expected.clock_limit
    offsets = [each["seen"]["clock"] for each in watched.values() if each.get("seen")]
    far = max((abs(offset) for offset in offsets if offset is not None), default=None)
    state = host["services"].get("chrony", "unknown")
    fault = ""
    if state != "active":
        fault = "chrony is {0}".format(state)
    elif far is not None and far > limit:
        fault = "it is {0:.3f} s from its observer's clock; the limit is {1} s".format(far, limit)
    elif "error" in clock:
        fault = "chrony does not answer: {0}".format(clock["error"])
    elif abs(clock["offset"]) > limit:
        fault = "it is {0:.3f} s from its time sources; the limit is {1} s".format(abs(clock["offset"]), limit)
    elif not clock["synchronised"] and not clock["container"]:
        fault = "chrony follows no time source"
    if fault or far is not None:
        return _verdict("clock", fault, "within {0:.3f} s of its observer".format(far or 0.0))
    # Who has no metrics by choice is known by its time sources only, and a container that has none is not known at all.
    if "metrics" in expected.skipped and clock["synchronised"]:
        return Verdict("clock", PASSED, "within {0:.3f} s of its time sources".format(abs(clock["offset"])))
    return Verdict("clock", BLOCKED, "no observer knows its clock")


def _accounts(expected: Expectation, host: Mapping[str, Any]) -> Verdict:
    faults = []
    known = {account["name"]: account for account in host["accounts"]}
    for name, account in sorted(known.items()):
        gets_in = account["uid"] == 0 or account["keys"] or account["password"]
        if name not in expected.accounts:
            faults += ["{0} could get in and is not expected".format(name)] if gets_in else []
            continue
        keys = expected.accounts[name]
        if keys is not None:
            more = len(set(account["keys"]) - set(keys))
            fewer = len(set(keys) - set(account["keys"]))
            faults += ["{0} has {1} key(s) that nobody gave it".format(name, more)] if more else []
            faults += ["{0} lacks {1} of its keys".format(name, fewer)] if fewer else []
        faults += ["{0} has expired".format(name)] if account["expired"] and keys else []
    missing = sorted(name for name, keys in expected.accounts.items() if keys and name not in known)
    faults += ["{0} cannot log in here".format(name) for name in missing]
    if host.get("other_keys") and not faults:
        unseen = "sshd also takes keys that are in no file: {0}".format(", ".join(host["other_keys"]))
        return Verdict("accounts", BLOCKED, unseen)
    return _verdict("accounts", "; ".join(faults), "{0} as expected".format(", ".join(sorted(known))))


def _ports(expected: Expectation, host: Mapping[str, Any], reached: Sequence[int]) -> Verdict:
    programs = {"{0}/{1}".format(each["port"], each["protocol"]): each["program"] for each in host["listening"]}
    open_now = {"{0}/tcp".format(port) for port in reached}
    guarded = host["services"].get(_FIREWALL) == "active"
    # Behind a firewall, what listens need not be what can be reached.
    suspects = open_now if guarded else open_now | set(programs)
    faults = [
        "{0}{1} {2}".format(
            port,
            " ({0})".format(programs[port]) if programs.get(port) else "",
            "answers from outside" if port in open_now else "listens",
        )
        for port in sorted(suspects - expected.ports, key=lambda port: (int(port.partition("/")[0]), port))
    ]
    fault = "not expected: {0}".format(", ".join(faults)) if faults else ""
    if expected.firewall and not guarded:
        fault = "; ".join([*([fault] if fault else []), "its firewall is not in force"])
    if not fault and not reached:
        return Verdict("ports", BLOCKED, "nothing answers from outside, not even SSH: it cannot be told why")
    return _verdict("ports", fault, "open: {0}".format(", ".join(str(port) for port in sorted(reached)) or "none"))


def _alert(host: Mapping[str, Any], watched: Mapping[str, Mapping[str, Any]], metrics: Verdict) -> Verdict:
    fault = _first(*(_rules_fault(name, each) for name, each in watched.items()))
    if fault:
        return Verdict("alert", FAILED, fault)
    if metrics.status != PASSED:
        return Verdict("alert", BLOCKED, "without metrics no alert can be driven")
    if not host["token"]:
        return Verdict("alert", PASSED, "the rules are there; {0}".format(_READ_ONLY))
    silent = [name for name, each in watched.items() if each["seen"]["alert"] is None]
    waited = max((each["seen"]["alert"] or 0 for each in watched.values()), default=0)
    fault = "an alert driven now did not reach the Alertmanager of {0}".format(", ".join(silent)) if silent else ""
    return _verdict("alert", fault, "at Alertmanager after {0} s".format(waited))


def _rules_fault(observer: str, watch: Mapping[str, Any]) -> str:
    if watch.get("error"):
        return ""  # the check of the metrics says so
    if watch["missing_alerts"]:
        return "{0} lacks the alert rules {1}".format(observer, ", ".join(watch["missing_alerts"]))
    if watch["failing_rules"]:
        return "{0} cannot evaluate the rules {1}".format(observer, ", ".join(watch["failing_rules"]))
    if not watch["alertmanagers"]:
        return "{0} hands alerts to no Alertmanager".format(observer)
    return ""
