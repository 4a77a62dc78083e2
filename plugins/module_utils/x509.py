# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Certificates by the program `openssl`, which every host has, and files that are replaced in one step."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule

DAY = 86400
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_PUBLIC_KEY = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class RefusedError(Exception):
    """openssl refused something; its text is one sentence."""


class OpenSSL:
    """The program `openssl`, with all that is secret in files of a private folder.

    Args:
        module: whose `run_command` starts it.
        folder: a private folder for what passes between commands.
    """

    def __init__(self, module: AnsibleModule, folder: str) -> None:
        self._module = module
        self._folder = folder

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Run one command with `text` as its input and return what it printed.

        Raises:
            RefusedError: it failed.
        """
        code, out, err = self._module.run_command(["openssl", *arguments], data=text)
        if code != 0:
            said = " ".join((err or out).split())
            raise RefusedError(f"openssl {arguments[0]} failed: {said[:600]}")
        return out

    def file(self, name: str, text: str) -> str:
        """Write `text` into the private folder and return the file's path."""
        path = os.path.join(self._folder, name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def new_key(self) -> str:
        """Return a new private key (P-256)."""
        return self.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")

    def public_key(self, key: str) -> str:
        """Return the public half of a private key."""
        return self.run("pkey", "-pubout", "-in", self.file("key", key)).strip()

    def certificate(self, text: str) -> Certificate:
        """Read the first certificate of a PEM text."""
        out = self.run("x509", "-noout", "-enddate", "-subject", "-pubkey", "-ext", "subjectAltName", text=text)
        return Certificate(out)

    def verify(self, certificate: str, authority: str) -> None:
        """Raise RefusedError unless the first certificate of a text is valid now and signed by the authority."""
        chain = self.file("chain.pem", certificate)
        trusted = self.file("trusted.pem", authority)
        self.run("verify", "-CAfile", trusted, "-untrusted", chain, chain)


class Certificate:
    """What is of interest in one certificate, read from what `openssl x509` prints."""

    def __init__(self, printed: str) -> None:
        end = re.search(r"^notAfter=(.+)$", printed, re.MULTILINE)
        if end is None:
            raise RefusedError("openssl x509 printed no end of the certificate")
        self.end = float(ssl.cert_time_to_seconds(end.group(1).strip()))
        self.names = sorted(_names(printed))
        self.public_key = "".join(_PUBLIC_KEY.findall(printed))

    @property
    def end_text(self) -> str:
        """The day of its end, as people write it."""
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.end))

    def days_left(self) -> float:
        return (self.end - time.time()) / DAY


def _names(printed: str) -> set[str]:
    """Return the alternative names that openssl printed, as `DNS:name` and `IP:address`."""
    dns = {"DNS:" + name for name in re.findall(r"DNS:([^,\s]+)", printed)}
    return dns | {"IP:" + canonical(address) for address in re.findall(r"IP Address:([0-9A-Fa-f:.]+)", printed)}


def canonical(address: str) -> str:
    """Return an IP address in its shortest form."""
    return str(ipaddress.ip_address(address))


def blocks(text: str) -> list[str]:
    """Return the certificates of a PEM text, in order."""
    return [block + "\n" for block in _BLOCK.findall(text)]


def read(path: str) -> str:
    """Return a file's text; an absent file is empty."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path: str, text: str, mode: int, group: int = 0) -> None:
    """Replace a file of root's in one step."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchown(descriptor, 0, group)
            os.fchmod(descriptor, mode)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def as_agreed(path: str, mode: int, group: int = 0) -> bool:
    """Return whether a path belongs to root and the group, and has the mode."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (0, group, mode)
