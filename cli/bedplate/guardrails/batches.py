"""Batches: the hosts of a run cut so that one failure domain is changed at a time, a few first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def cut(
    hosts: Sequence[str], *, canary: int | None = None, domains: Mapping[str, str | None] | None = None
) -> list[list[str]]:
    """Return the batches, each in one failure domain, in the order in which they run.

    Args:
        canary: how many hosts go first.
        domains: host → its failure domain; a host whose domain is not known goes alone. None puts no host apart.
    """
    ordered = _ordered(hosts, domains)
    first = canary or 0
    parts = [ordered[:first], ordered[first:]]
    return [batch for part in parts if part for batch in _split(part, domains)]


def _ordered(hosts: Sequence[str], domains: Mapping[str, str | None] | None) -> list[str]:
    """Return the hosts with those of one domain together, domains in the order in which they come first."""
    if domains is None:
        return list(hosts)
    places: dict[str, int] = {}
    for host in hosts:
        places.setdefault(domains.get(host) or f"\0{host}", len(places))
    return sorted(hosts, key=lambda host: places[domains.get(host) or f"\0{host}"])


def _split(hosts: Sequence[str], domains: Mapping[str, str | None] | None) -> list[list[str]]:
    if domains is None:
        return [list(hosts)]
    batches: list[list[str]] = []
    last: str | None = None
    for host in hosts:
        domain = domains.get(host)
        if batches and domain is not None and domain == last:
            batches[-1].append(host)
        else:
            batches.append([host])
        last = domain
    return batches
