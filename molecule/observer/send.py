"""Send one syslog message over RELP and wait until it is acknowledged: send.py ADDRESS PORT MESSAGE."""

import socket
import sys


def frame(number: int, command: str, data: str = "") -> bytes:
    """Return one RELP frame."""
    payload = data.encode()
    head = f"{number} {command} {len(payload)}".encode()
    return head + (b" " + payload if payload else b"") + b"\n"


def main(address: str, port: str, message: str) -> None:
    """Open a session, send, and end with an error unless both are answered with 200."""
    with socket.create_connection((address, int(port)), timeout=10) as connection:
        answers = connection.makefile("rb")
        connection.sendall(frame(1, "open", "relp_version=0\nrelp_software=verify\ncommands=syslog"))
        _expect(answers.readline())
        while (line := answers.readline()).strip() and b"commands" not in line:
            continue
        connection.sendall(frame(2, "syslog", message))
        while not (line := answers.readline()).startswith(b"2 rsp"):
            if not line:
                sys.exit("the receiver closed the connection")
        _expect(line)
        connection.sendall(frame(3, "close"))


def _expect(answer: bytes) -> None:
    if b" 200 OK" not in answer:
        sys.exit(f"the receiver said {answer!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
