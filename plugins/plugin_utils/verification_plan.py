# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What is right for a host by the inventory, and who has to look at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from .observers import log_receiver, nearest_observers, role_is_on
from .verification import CHECKS, Expectation

# Ports that are tried on every host besides those that it says it listens on: what intruders and haste leave open.
_NOTORIOUS = (21, 23, 25, 80, 111, 139, 443, 445, 2049, 3306, 5432, 6379, 8080, 8443)
_KEY_TYPES = ("ssh-", "ecdsa-", "sk-")
# check: the role that brings about what it looks at
_ROLES = {"metrics": "metrics", "alert": "metrics", "clock": "time_sync", "accounts": "access"}


def expectation(
    given: Mapping[str, Any], host: str, hostvars: Mapping[str, Any], observers: Sequence[str]
) -> Expectation:
    """Return what is right for a host.

    Args:
        given: values of the inventory: users, accounts_extra, connection_keys, login, ports (numbers of TCP), services,
            rules (of the firewall), ports_extra, clock_limit, skip.

    Raises:
        ValueError: a check to skip or a port is none.
    """
    unknown = sorted(set(given["skip"]) - set(CHECKS[1:]))
    if unknown:
        message = "verify_skip of {0}: {1} is no check; {2} are".format(host, unknown[0], ", ".join(CHECKS[1:]))
        raise ValueError(message)
    off = {check: role for check, role in _ROLES.items() if not role_is_on(role, hostvars[host])}
    return Expectation(
        accounts=_accounts(given),
        ports=frozenset(_ports(given, host)),
        logs_to=log_receiver(host, hostvars, observers),
        clock_limit=float(given["clock_limit"]),
        firewall=role_is_on("firewall", hostvars[host]),
        skipped={
            **{check: "the role {0} is off here".format(role) for check, role in off.items()},
            **dict.fromkeys(given["skip"], "left out by verify_skip"),
        },
    )


def _accounts(given: Mapping[str, Any]) -> dict[str, list[str] | None]:
    """Return the keys of each account that may get in, as type and text; None where any key is right."""
    accounts: dict[str, list[str] | None] = {"root": []}
    if given["login"]:
        accounts[given["login"]] = _keys(given["connection_keys"]) or None
    for user in given["users"]:
        if user.get("state", "present") == "present":
            accounts[user["name"]] = _keys(user.get("keys") or [])
    for user in given["accounts_extra"]:
        accounts[user["name"]] = _keys(user["keys"]) if "keys" in user else None
    return accounts


def _keys(lines: Iterable[str]) -> list[str]:
    found = []
    for line in lines:
        words = str(line).split()
        kinds = [number for number, word in enumerate(words[:-1]) if word.startswith(_KEY_TYPES)]
        if kinds:
            found.append(" ".join(words[kinds[0] : kinds[0] + 2]))
    return found


def _ports(given: Mapping[str, Any], host: str) -> list[str]:
    named = ["{0}/tcp".format(port) for port in given["ports"]]
    for service in [*given["services"], *(rule for rule in given["rules"] if rule.get("action", "accept") == "accept")]:
        numbers = [number for port in service.get("ports") or [] for number in _range(str(port))]
        named += ["{0}/{1}".format(number, service.get("protocol") or "tcp") for number in numbers]
    for port in given["ports_extra"]:
        number, _, protocol = str(port).partition("/")
        if not number.isdigit() or protocol not in ("", "tcp", "udp"):
            message = "verify_ports_extra of {0}: {1!r} is no port such as 8080/tcp".format(host, port)
            raise ValueError(message)
        named.append("{0}/{1}".format(number, protocol or "tcp"))
    return named


def _range(text: str) -> range:
    """Return the ports of one such as 22, or of a range such as 8000-8010."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def watches(
    answers: Mapping[str, Mapping[str, Any]],
    expected: Mapping[str, Expectation],
    hostvars: Mapping[str, Any],
    observers: Sequence[str],
) -> list[dict[str, Any]]:
    """Return for each observer that is needed what it has to wait for and which ports it has to try.

    Args:
        answers: by host, what `verify_host` answered.
    """
    plan: dict[str, dict[str, Any]] = {}
    for host, answer in sorted(answers.items()):
        nearest = nearest_observers(host, hostvars, observers)
        for name in nearest:
            awaited = {"token": answer["token"], "logs": expected[host].logs_to == name}
            _watch(plan, name)["hosts"][host] = awaited
        prober = next((name for name in [*nearest, *observers] if name != host), None)
        if prober is not None:
            _watch(plan, prober)["probes"][host] = probe(hostvars[host], host, answer)
    return [plan[name] for name in sorted(plan)]


def _watch(plan: dict[str, dict[str, Any]], observer: str) -> dict[str, Any]:
    return plan.setdefault(observer, {"observer": observer, "hosts": {}, "probes": {}})


def probe(variables: Mapping[str, Any], host: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the address and the TCP ports that are to be tried from outside."""
    listening = {each["port"] for each in answer["listening"] if each["protocol"] == "tcp"}
    return {"address": str(variables.get("ansible_host") or host), "ports": sorted(listening | set(_NOTORIOUS))}


def alert_names(files: Mapping[str, str]) -> list[str]:
    """Return the names of the alerts in rule files, given as text by file name."""
    documents = [yaml.safe_load(text) or {} for text in files.values()]
    rules = [rule for document in documents for group in document.get("groups") or [] for rule in group["rules"]]
    return sorted(rule["alert"] for rule in rules if "alert" in rule)
