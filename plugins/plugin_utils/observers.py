# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Which observer watches which host, and what it has to know of the hosts it watches.

A host's nearest observers are those of its own site; if there are none, those that share the deepest region with it;
if there are none either, all of them.
"""

from __future__ import absolute_import, annotations, division, print_function

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

_DNS_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")
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

    `port` is the exporter's TCP port on hosts that set no `metrics_listen_port`. Hosts whose role `metrics` is off are
    left out; one that has no certificate is scraped without encryption, whatever Prometheus does with the others.
    """
    seen = [(host, hostvars[host]) for host in sorted(hosts)]
    return [_scrape_target(host, variables, port) for host, variables in seen if role_is_on("metrics", variables)]


def probe_targets(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], probes: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the target groups of the blackbox exporter for `hosts`: one a host and probe.

    A probe has a `name`, which is its module's too, and `port` or `port_variable` if it goes to one; where one of its
    `roles` is off on a host, that host is left out.
    """
    found = []
    for host in sorted(hosts):
        variables = hostvars[host]
        for probe in probes:
            if all(role_is_on(role, variables) for role in probe.get("roles") or ()):
                port = variables.get(probe.get("port_variable")) or probe.get("port")
                labels = {**_labels(host, variables), "probe": str(probe["name"]), "__param_module": str(probe["name"])}
                found.append({"targets": [_target(host, variables, port)], "labels": labels})
    return found


def peer_targets(peers: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], port: int) -> list[dict[str, Any]]:
    """Return the target groups of other observers' Prometheus, each named by its host.

    `port` is its TCP port on observers that set no `observer_listen_port`.
    """
    seen = [(peer, hostvars[peer]) for peer in sorted(peers)]
    return [
        {
            "targets": [_target(peer, variables, variables.get("observer_listen_port") or port)],
            "labels": {"instance": str(peer)},
        }
        for peer, variables in seen
        if role_is_on("observer", variables)
    ]


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


def log_receiver(host: str, hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str]) -> str:
    """Return the observer to which `host` sends its logs by the role `logging`; empty where it sends them to none."""
    return _log_receiver(host, hostvars, _Observers(hostvars, observers))


def log_senders(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str], observer: str
) -> list[str]:
    """Return those of `hosts` that send their logs to `observer`, sorted."""
    known = _Observers(hostvars, observers)
    return sorted(str(host) for host in hosts if _log_receiver(host, hostvars, known) == observer)


def host_addresses(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return all IP addresses that `hosts` are known by, sorted; one that several of them have is there once."""
    return sorted({address for host in hosts for address in _ip_addresses(host, hostvars[host])})


def certificate_names(host: str, hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str]) -> list[str]:
    """Return what a certificate of `host` says that it is: its name and addresses, as `DNS:name` and `IP:address`.

    An observer is reached by its own services at the local address too.
    """
    variables = hostvars[host]
    local = host in observers
    addresses = _ip_addresses(host, variables) | ({"127.0.0.1", "::1"} if local else set())
    names = {str(host), _address(host, variables)} | ({"localhost"} if local else set())
    names = {name for name in names if _DNS_NAME.match(name)} - addresses
    return ["DNS:" + name for name in sorted(names)] + ["IP:" + address for address in sorted(addresses)]


def has_certificate(host: str, hostvars: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether `host` has a certificate of the observers' authority, by what the inventory says of it."""
    return role_is_on("certificates", hostvars[host])


def role_is_on(role: str, variables: Mapping[str, Any]) -> bool:
    """Return whether the inventory has a role on: a tag `skip-ROLE` or a variable `ROLE_enabled` turns it off."""
    enabled = variables.get(role + "_enabled")
    if enabled is None:
        return "skip-" + role.replace("_", "-") not in (variables.get("bedplate_tags") or ())
    return _is_true(enabled)


def _is_true(value: object) -> bool:
    return str(value).strip().lower() not in ("false", "no", "off", "0")


def _log_receiver(host: str, hostvars: Mapping[str, Mapping[str, Any]], known: _Observers) -> str:
    variables = hostvars[host]
    nearest = known.nearest_to(variables)
    forwards = role_is_on("logging", variables) and _is_true(variables.get("logging_forward", True))
    if not forwards or variables.get("logging_receivers") or not nearest:
        return ""
    receiver = str(host) if host in nearest else nearest[0]
    # One that has certificates takes nothing from a host that has none.
    refused = not role_is_on("certificates", variables) and role_is_on("certificates", hostvars[receiver])
    return "" if refused else receiver


class _Observers:
    """The observers of a fleet, each with its place read once."""

    def __init__(self, hostvars: Mapping[str, Mapping[str, Any]], observers: Iterable[str]) -> None:
        self._names = sorted(name for name in observers if role_is_on("observer", hostvars[name]))
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


def _labels(host: str, variables: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that say which host it is and where."""
    return {
        "host": str(host),
        **{label: str(variables[name]) for label, name in _LABELS.items() if variables.get(name)},
    }


def _target(host: str, variables: Mapping[str, Any], port: object) -> str:
    """Return the host's address, with the port if there is one."""
    address = _address(host, variables)
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _scrape_target(host: str, variables: Mapping[str, Any], port: int) -> dict[str, Any]:
    labels = _labels(host, variables)
    if not role_is_on("certificates", variables):
        labels["__scheme__"] = "http"
    return {"targets": [_target(host, variables, variables.get("metrics_listen_port") or port)], "labels": labels}
