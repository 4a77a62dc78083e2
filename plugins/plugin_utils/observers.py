# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Which observer watches which host, and what it has to know of the hosts it watches.

A host's nearest observers are those of its own site; if there are none, those that share the deepest region with it;
if there are none either, all of them.
"""

from __future__ import absolute_import, annotations, division, print_function

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

# label of a scrape target: the variable that gives its value
_LABELS = {
    "site": "bedplate_site",
    "region": "bedplate_region",
    "class": "bedplate_class",
    "role": "bedplate_role",
    "tenant": "bedplate_tenant",
}


def nearest_observers(host: str, hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str]) -> list[str]:
    """Return the names of the observers that are nearest to `host`, sorted."""
    return _Observers(hostvars, observers).nearest_to(hostvars[host])


def observed_hosts(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str], observer: str
) -> list[str]:
    """Return those of `hosts` that have `observer` among their nearest observers, sorted."""
    known = _Observers(hostvars, observers)
    return sorted(host for host in hosts if observer in known.nearest_to(hostvars[host]))


def scrape_targets(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], port: int) -> list[dict[str, Any]]:
    """Return the target groups of Prometheus' file_sd for `hosts`, one a host.

    `port` is the exporter's TCP port on hosts that set no `metrics_listen_port`.
    """
    return [_scrape_target(host, hostvars[host], port) for host in sorted(hosts)]


def sender_names(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return {index: address, value: host name} for each IP address that one of `hosts` is known by.

    An address that several hosts have names none of them.
    """
    names: dict[str, set[str]] = {}
    for host in hosts:
        for address in _ip_addresses(host, hostvars[host]):
            names.setdefault(address, set()).add(str(host))
    return [
        {"index": address, "value": next(iter(owners))} for address, owners in sorted(names.items()) if len(owners) == 1
    ]


class _Observers:
    """The observers of a fleet, each with its place read once."""

    def __init__(self, hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str]) -> None:
        self._names = sorted(observers)
        self._by_site: dict[str, list[str]] = {}
        self._by_region: dict[tuple[str, ...], list[str]] = {}
        for name in self._names:
            variables = hostvars[name]
            site = variables.get("bedplate_site")
            if site:
                self._by_site.setdefault(str(site), []).append(name)
            region = _region(variables)
            for depth in range(1, len(region) + 1):
                self._by_region.setdefault(region[:depth], []).append(name)

    def nearest_to(self, variables: Mapping[str, Any]) -> list[str]:
        site = variables.get("bedplate_site")
        if site and str(site) in self._by_site:
            return self._by_site[str(site)]
        region = _region(variables)
        for depth in range(len(region), 0, -1):
            if region[:depth] in self._by_region:
                return self._by_region[region[:depth]]
        return self._names


def _region(variables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the groups of the host's regions, from the top region down to its own."""
    domain = variables.get("bedplate_failure_domain") or ()
    regions = tuple(str(group) for group in domain if str(group).startswith("region_"))
    if not regions and variables.get("bedplate_region"):
        return (str(variables["bedplate_region"]),)
    return regions


def _address(host: str, variables: Mapping[str, Any]) -> str:
    return str(variables.get("ansible_host") or host)


def _ip_addresses(host: str, variables: Mapping[str, Any]) -> set[str]:
    """Return the IP addresses that the host is known by, in their shortest form."""
    known = (_address(host, variables), variables.get("bedplate_primary_ip4"), variables.get("bedplate_primary_ip6"))
    found = set()
    for address in known:
        try:
            found.add(str(ipaddress.ip_address(str(address))))
        except ValueError:
            continue
    return found


def _scrape_target(host: str, variables: Mapping[str, Any], port: int) -> dict[str, Any]:
    address = _address(host, variables)
    if ":" in address:
        address = "[{0}]".format(address)
    labels = {"host": str(host)}
    labels.update({label: str(variables[name]) for label, name in _LABELS.items() if variables.get(name)})
    return {
        "targets": ["{0}:{1}".format(address, variables.get("metrics_listen_port") or port)],
        "labels": labels,
    }
