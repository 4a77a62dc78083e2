"""The lab's SSH keys, the hosts' keys and the client's configuration, all inside the lab's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from factory.machine import find_program, run

LOGIN = "ansible"
COLLEAGUES = ("alice", "bob")


class Keyring:
    """The key files of one lab.

    Args:
        folder: the lab's folder, which exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known_hosts = folder / "known_hosts"
        self.ssh_config = folder / "ssh_config"

    def private_key(self, user: str) -> Path:
        """Return the path of a user's private key."""
        return self.folder / ("id_ed25519" if user == LOGIN else f"id_ed25519_{user}")

    def public_key(self, user: str) -> str:
        """Return a user's public key line."""
        return self.private_key(user).with_suffix(".pub").read_text(encoding="ascii").strip()

    def is_complete(self) -> bool:
        """Whether every user has a key pair."""
        files = [self.private_key(user) for user in (LOGIN, *COLLEAGUES)]
        return all(file.is_file() and file.with_suffix(".pub").is_file() for file in files)

    def make_missing(self) -> None:
        """Make the key pairs that are missing.

        Raises:
            FactoryError: ssh-keygen is missing or failed.
        """
        for user in (LOGIN, *COLLEAGUES):
            private = self.private_key(user)
            public = private.with_suffix(".pub")
            if private.is_file() and not public.is_file():
                write(public, run([find_program("ssh-keygen"), "-y", "-f", str(private)]))
            elif not private.is_file():
                public.unlink(missing_ok=True)
                run(
                    [
                        find_program("ssh-keygen"),
                        "-q",
                        "-t",
                        "ed25519",
                        "-N",
                        "",
                        "-C",
                        f"{user}@lab",
                        "-f",
                        str(private),
                    ]
                )
            public.chmod(0o600)

    def known(self) -> dict[str, str]:
        """Return the host keys that are recorded: address to key."""
        if not self.known_hosts.is_file():
            return {}
        fields = (line.split(maxsplit=1) for line in self.known_hosts.read_text(encoding="utf-8").splitlines())
        return {names.split(",")[-1]: key for names, key in fields}

    def write_known_hosts(self, keys: Mapping[str, tuple[str, str]]) -> None:
        """Record host keys. `keys`: address to (host name, key type and key)."""
        lines = [f"{name},{address} {key}\n" for address, (name, key) in keys.items()]
        write(self.known_hosts, "".join(lines))

    def write_ssh_config(self, hosts: Iterable[tuple[str, str]]) -> None:
        """Write a client configuration for people. `hosts`: (name, address)."""
        blocks = [f"Host {name}\n    HostName {address}\n" for name, address in hosts]
        common = (
            f"Host *\n    User {LOGIN}\n    IdentityFile {_quoted(self.private_key(LOGIN))}\n    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {_quoted(self.known_hosts)}\n    StrictHostKeyChecking yes\n"
        )
        write(self.ssh_config, "".join(blocks) + common)

    def ssh_command(self, user: str, address: str) -> list[str]:
        """Return the words that run a command on a host as `user`, without questions and with host keys checked."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "30",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            # First in order, not the only one: the post-quantum default costs ten times the processor time.
            "KexAlgorithms": "^curve25519-sha256",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": _quoted(self.known_hosts),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return [find_program("ssh"), "-F", "none", *words, "-i", str(self.private_key(user)), f"{user}@{address}"]


def _quoted(file: Path) -> str:
    """Return a path as OpenSSH's options want it, whatever characters it has."""
    return '"' + str(file).replace("%", "%%").replace('"', '\\"') + '"'


def write(file: Path, text: str) -> None:
    """Replace a file's content in one step; only its owner can read it."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    fresh.replace(file)
