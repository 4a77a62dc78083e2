# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Which TCP ports of hosts answer from here."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_AT_A_TIME = 128
_PATIENCE = 2.0  # seconds that a port has to answer


def is_open(address: str, port: int) -> bool:
    """Return whether a port takes a TCP connection in time."""
    try:
        socket.create_connection((address, port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def open_ports(address: str, ports: list[int]) -> list[int]:
    """Return those of `ports` that take a TCP connection, sorted."""
    return open_ports_of({address: {"address": address, "ports": ports}})[address]


def open_ports_of(
    probes: Mapping[str, Mapping[str, Any]], attempt: Callable[[str, int], bool] = is_open
) -> dict[str, list[int]]:
    """Return the ports that take a TCP connection by host, sorted; all hosts are tried at once.

    Args:
        probes: by host, its `address` and the `ports` to try.
        attempt: says whether a port of an address answers.
    """
    found: dict[str, list[int]] = {host: [] for host in probes}
    wanted = [(host, each["address"], port) for host, each in probes.items() for port in sorted(set(each["ports"]))]
    if not wanted:
        return found
    with ThreadPoolExecutor(min(_AT_A_TIME, len(wanted))) as pool:
        for host, port, answers in pool.map(lambda each: (each[0], each[2], attempt(each[1], each[2])), wanted):
            if answers:
                found[host].append(port)
    return found
