# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Which TCP ports of a host answer from here."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

_AT_A_TIME = 32


def open_ports(address: str, ports: list[int], patience: float = 2.0) -> list[int]:
    """Return those of `ports` that take a TCP connection within `patience` seconds, sorted."""
    wanted = sorted(set(ports))
    if not wanted:
        return []
    with ThreadPoolExecutor(min(_AT_A_TIME, len(wanted))) as pool:
        answers = pool.map(lambda port: (port, _is_open(address, port, patience)), wanted)
        return [port for port, is_open in answers if is_open]


def _is_open(address: str, port: int, patience: float) -> bool:
    try:
        socket.create_connection((address, port), timeout=patience).close()
    except OSError:
        return False
    return True
