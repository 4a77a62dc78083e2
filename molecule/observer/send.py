"""Send one syslog message to this host's receiver over RELP and TLS, and wait until it is acknowledged.

usage: send.py PORT MESSAGE [--from ADDRESS] [--without-certificate]
"""

import argparse
import socket
import ssl
import sys

FOLDER = "/etc/bedplate/tls"


def frame(number: int, command: str, data: str = "") -> bytes:
    """Return one RELP frame."""
    payload = data.encode()
    head = f"{number} {command} {len(payload)}".encode()
    return head + (b" " + payload if payload else b"") + b"\n"


def main() -> None:
    """Open a session, send, and end with an error unless both are answered with 200."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("message")
    parser.add_argument("--from", dest="source", default="127.0.0.1")
    parser.add_argument("--without-certificate", action="store_true")
    wanted = parser.parse_args()
    context = ssl.create_default_context(cafile=f"{FOLDER}/ca.pem")
    if not wanted.without_certificate:
        context.load_cert_chain(f"{FOLDER}/host.pem", f"{FOLDER}/host.key")
    plain = socket.create_connection(("127.0.0.1", wanted.port), timeout=10, source_address=(wanted.source, 0))
    try:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            deliver(connection, wanted.message)
    except (ssl.SSLError, ConnectionError) as error:
        sys.exit(f"the receiver refused the connection: {error}")


def deliver(connection: ssl.SSLSocket, message: str) -> None:
    """Say a message in a session of its own."""
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
    main()
