# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What a host is told about itself: its record for programs, and lines for people who log in."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
_LONGEST_LINE = 200
# Controls, marks that turn text round, what is no character, and what ends a line, as Unicode calls them.
_UNSHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# The keys of the record that NetBox knows, as variables `bedplate_<key>`.
_KNOWN = (
    "class",
    "region",
    "site",
    "location",
    "rack",
    "position",
    "cluster",
    "failure_domain",
    "role",
    "platform",
    "status",
    "manufacturer",
    "model",
    "serial",
    "asset_tag",
    "primary_ip4",
    "primary_ip6",
    "netbox",
)


def one_line(value: object) -> str:
    """Return a value as text that fits on one line of a terminal and cannot steer it."""
    text = "" if value is None else str(value)
    shown = "".join(" " if unicodedata.category(sign) in _UNSHOWN else sign for sign in text)
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 3] + "..."


def contact(value: object) -> str:
    """Return a custom field as text, also one whose type is an object of NetBox, such as a contact, or several."""
    if isinstance(value, (list, tuple)):
        return ", ".join(contact(each) for each in value)
    if isinstance(value, Mapping):
        value = value.get("display") or value.get("name") or value.get("value") or ""
    return "" if value is None else str(value)


def is_name(name: object) -> bool:
    """Return whether it is a host name, with or without a domain."""
    return isinstance(name, str) and len(name) <= 253 and all(_LABEL.match(label) for label in name.lower().split("."))


def is_address(text: object) -> bool:
    """Return whether it is one IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    # An IPv6 address may carry a zone of any text.
    return "%" not in str(text)


def _entry_faults(entry: Mapping[str, Any]) -> list[str]:
    address, names = entry["address"], entry["names"]
    if not is_address(address):
        return ["site_identity_hosts: {0!r} is no IPv4 or IPv6 address".format(str(address))]
    if not names:
        return ["site_identity_hosts: {0} has no names".format(address)]
    wrong = [name for name in names if not is_name(name)]
    if wrong:
        return ["site_identity_hosts: {0!r}, a name of {1}, is no host name".format(wrong[0], address)]
    taken = sorted(_LOOPBACK_NAMES.intersection(name.lower() for name in names))
    if taken:
        return ["site_identity_hosts: {0} cannot be a name of {1}: it is the host itself".format(taken[0], address)]
    return []


def identity_faults(hosts: Iterable[Mapping[str, Any]], hostname: str, domain: str, address: str) -> list[str]:
    """Return one sentence for each name or address that cannot be one.

    Args:
        hosts: entries for /etc/hosts, each with address and names.
        hostname: name of the host; empty leaves it as it is.
        domain: its domain; empty is none.
        address: what its own name has in /etc/hosts.
    """
    faults = []
    if hostname and not _LABEL.match(hostname):
        faults.append(
            "site_identity_hostname is {0!r}; it is lower-case letters, digits and hyphens, "
            "at most 63, and no domain".format(hostname)
        )
    elif hostname in _LOOPBACK_NAMES:
        faults.append("site_identity_hostname is {0}, which every host is".format(hostname))
    if domain and not is_name(domain):
        faults.append("site_identity_domain is {0!r}, which is no domain".format(domain))
    if not is_address(address):
        faults.append("site_identity_address is {0!r}, which is no IPv4 or IPv6 address".format(str(address)))
    return faults + [fault for entry in hosts for fault in _entry_faults(entry)]


def identity_document(known: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a host: the same keys on each host, None where nothing is known.

    Args:
        known: variables of the host by name; those of `bedplate_*` that describe it are taken.
        settings: what the role's own variables say (name, hostname, fqdn, owner, remote_hands, console, extra).
    """
    document = {key: known.get("bedplate_" + key) for key in _KNOWN}
    own = {key: None if value == "" else value for key, value in settings.items()}
    return {"schema": 1, "tags": sorted(known.get("bedplate_tags") or []), **document, **own}


def _place(document: Mapping[str, Any]) -> str:
    position = document["position"]
    unit = "" if position is None else "unit {0}".format(str(position).partition(".0")[0])
    rack = "" if document["rack"] is None else "rack {0}".format(document["rack"])
    cluster = "" if document["cluster"] is None else "cluster {0}".format(document["cluster"])
    parts = [document["site"], document["location"], rack, unit if rack else "", cluster]
    return ", ".join(str(part) for part in parts if part)


def identity_lines(document: Mapping[str, Any]) -> list[list[str]]:
    """Return label and text of each line to show at a login; what is not known has none."""
    kind = [document["class"], document["role"], document["status"]]
    machine = [document["manufacturer"], document["model"]]
    rows = [
        ("Host", document["fqdn"] or document["name"]),
        ("Kind", ", ".join(str(part) for part in kind if part)),
        ("Place", _place(document)),
        ("Machine", " ".join(str(part) for part in machine if part)),
        ("Serial", document["serial"]),
        ("Asset tag", document["asset_tag"]),
        ("Owner", document["owner"]),
        ("Remote hands", document["remote_hands"]),
        ("Console", document["console"]),
        ("NetBox", (document["netbox"] or {}).get("url")),
    ]
    lines = [[label, one_line(value)] for label, value in rows]
    return [line for line in lines if line[1]]


class FilterModule:
    """Filters of the role site_identity."""

    def filters(self) -> dict[str, Any]:
        return {
            "site_identity_contact": contact,
            "site_identity_document": identity_document,
            "site_identity_faults": identity_faults,
            "site_identity_line": one_line,
            "site_identity_lines": identity_lines,
        }
