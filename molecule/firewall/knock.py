"""Say how TCP ports of a host answer (open, refused, silent): `knock.py ADDRESS PORT…`."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def knock(port: str) -> str:
    try:
        socket.create_connection((sys.argv[1], int(port)), timeout=2).close()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    return "open"


with ThreadPoolExecutor(16) as doors:
    print(
        " ".join(f"{port}:{answer}" for port, answer in zip(sys.argv[2:], doors.map(knock, sys.argv[2:]), strict=True))
    )
