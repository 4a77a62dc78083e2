"""SSH servers on this machine, with host keys that a test chooses, and ports where no SSH server is."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paramiko


def make_key(file: Path, kind: str = "ed25519") -> paramiko.PKey:
    """Make a key with ssh-keygen and return it."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(file)], check=True)
    kinds = {"ed25519": paramiko.Ed25519Key, "ecdsa": paramiko.ECDSAKey}
    return kinds[kind].from_private_key_file(str(file))


@contextmanager
def ssh_server(keys: Sequence[paramiko.PKey]) -> Iterator[int]:
    """Serve SSH on 127.0.0.1 with these host keys; nobody can log in. Yields the port."""

    def serve(client: socket.socket) -> None:
        transport = paramiko.Transport(client)
        for key in keys:
            transport.add_server_key(key)
        try:
            transport.start_server(server=paramiko.ServerInterface())
            transport.join(10)
        except (paramiko.SSHException, EOFError, OSError):
            pass  # the client wanted another kind of key, or has seen enough
        finally:
            transport.close()

    with _listening(serve) as port:
        yield port


@contextmanager
def other_server(greeting: bytes) -> Iterator[int]:
    """Serve something that is no SSH. Yields the port."""

    def serve(client: socket.socket) -> None:
        with client:
            client.sendall(greeting)

    with _listening(serve) as port:
        yield port


@contextmanager
def openssh_server(key: Path, **settings: str) -> Iterator[int]:
    """Serve SSH on 127.0.0.1 by OpenSSH with one host key and these settings. Yields the port."""

    def serve(client: socket.socket) -> None:
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        command = ["/usr/sbin/sshd", "-i", "-f", "/dev/null", "-h", str(key), *words]
        with client:
            subprocess.run(command, stdin=client, stdout=client, stderr=subprocess.DEVNULL, check=False)

    with _listening(serve) as port:
        yield port


def closed_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
