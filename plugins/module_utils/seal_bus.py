# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Properties of systemd's units, read from its own socket: `systemctl show` takes and parses all that there are."""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from itertools import islice

_SOCKET = "/run/systemd/private"
_OBJECTS = "/org/freedesktop/systemd1/unit/"
_UNIT, _SERVICE = "org.freedesktop.systemd1.Unit", "org.freedesktop.systemd1.Service"
_OF_UNITS = ("LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "DropInPaths", "TriggeredBy")
# A service has hundreds of properties: only these are asked for.
_OF_SERVICES = ("Type", "RemainAfterExit")
# Of other names, systemctl makes what is meant.
_PLAIN = re.compile(r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\-]+)?\.(?:service|socket|timer|target|mount|path|slice)")
_NOT_IN_PATHS = re.compile(r"^[0-9]|[^A-Za-z0-9]")
_CALL, _ANSWER, _ERROR = 1, 2, 3
_PATIENCE, _PAUSE = 20, 0.01
_LARGEST = 1 << 20


class BusError(Exception):
    """systemd does not answer in the way that is known here."""


def properties(names: list[str], path: str = _SOCKET) -> list[dict[str, str]]:
    """Return properties of units as `systemctl show` has them, in the order of their names.

    Raises:
        BusError: somebody else has to be asked.
    """
    if not all(map(_PLAIN.fullmatch, names)):
        raise BusError("names that are not plain")
    wanted = [(number, "") for number in range(len(names))]
    wanted += [(number, name) for name in _OF_SERVICES for number in _numbers_of_services(names)]
    calls = [_call(serial, _escaped(names[number]), name) for serial, (number, name) in enumerate(wanted, 1)]
    found: list[dict[str, str]] = [{} for _ in names]
    try:
        for serial, body in _asked(path, calls):
            number, name = wanted[serial - 1]
            found[number].update({name: _value(body, 0)} if name else _of_unit(body))
    except (OSError, struct.error, IndexError, ValueError) as error:
        raise BusError(str(error)) from error
    return found


def _numbers_of_services(names: list[str]) -> list[int]:
    return [number for number, name in enumerate(names) if name.endswith(".service")]


def _asked(path: str, calls: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield an answer to each call: the number of the call, and what it says."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bus:
        bus.settimeout(_PATIENCE)
        bus.connect(path)
        bus.sendall(b"\0AUTH EXTERNAL %s\r\n" % str(os.geteuid()).encode().hex().encode())
        if not bus.recv(1024).startswith(b"OK "):
            raise BusError("it does not let this process in")
        bus.sendall(b"BEGIN\r\n" + b"".join(calls))
        yield from islice(_answers(bus), len(calls))


def _escaped(name: str) -> str:
    """Return the path of a unit's object."""
    first = "_{0:02x}".format(ord(name[0])) if name[0].isdigit() else ""
    return (
        _OBJECTS + first + _NOT_IN_PATHS.sub(lambda found: "_{0:02x}".format(ord(found.group())), name[bool(first) :])
    )


def _call(serial: int, target: str, name: str) -> bytes:
    """Return the message that asks for one property of a service, or for all of a unit."""
    member, interface = ("Get", _SERVICE) if name else ("GetAll", _UNIT)
    body = _text(b"", interface)
    body = _text(body, name) if name else body
    fields = _text(b"\1\1o\0", target)
    for head, text in ((b"\2\1s\0", "org.freedesktop.DBus.Properties"), (b"\3\1s\0", member)):
        fields = _text(_padded(fields, 8) + head, text)
    fields = _padded(fields, 8) + (b"\x08\1g\0\2ss\0" if name else b"\x08\1g\0\1s\0")
    return _padded(struct.pack("<cBBBIII", b"l", _CALL, 0, 1, len(body), serial, len(fields)) + fields, 8) + body


def _text(before: bytes, text: str) -> bytes:
    return b"%s%s%s\0" % (_padded(before, 4), struct.pack("<I", len(text)), text.encode())


def _padded(content: bytes, size: int) -> bytes:
    return content + b"\0" * (-len(content) % size)


def _answers(bus: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Yield answers: which call each is for, and what it says; signals are none."""
    received, start = b"", 0
    while True:
        while len(received) - start < 16:
            received, start = received[start:] + _more(bus), 0
        order, kind, _, _, body, _, fields = struct.unpack_from("<cBBBIII", received, start)
        begin = 16 + fields + -fields % 8
        if order != b"l" or body + begin > _LARGEST:
            raise BusError("an answer of another kind")
        while len(received) - start < begin + body:
            received, start = received[start:] + _more(bus), 0
        if kind in (_ANSWER, _ERROR):
            # Of these fields, none that is a text has a zero in it.
            place = received.index(b"\5\1u\0", start + 16, start + begin) + 4
            if kind == _ERROR:
                raise BusError("it knows no such property")
            yield struct.unpack_from("<I", received, place)[0], received[start + begin : start + begin + body]
        start += begin + body


def _more(bus: socket.socket) -> bytes:
    # Answers come one by one, and each wakes who waits for it: many at a time are read at less cost.
    time.sleep(_PAUSE)
    received = bus.recv(1 << 18)
    if not received:
        raise BusError("it hung up")
    return received


def _of_unit(body: bytes) -> dict[str, str]:
    """Return, of all properties of a unit, those that count."""
    # The length before a name and the zero behind it are in no text.
    keys = {name: struct.pack("<I", len(name)) + name.encode() + b"\0" for name in _OF_UNITS}
    return {name: _value(body, body.index(key) + len(key)) for name, key in keys.items()}


def _value(body: bytes, start: int) -> str:
    """Return a value as systemctl shows it: a text, a truth, or texts."""
    kind = body[start : body.index(b"\0", start)]
    start += len(kind) + 1
    start += -start % 4
    (size,) = struct.unpack_from("<I", body, start)
    start += 4
    if kind == b"\1s":
        return body[start : start + size].decode("utf-8", "surrogateescape")
    if kind == b"\1b":
        return "yes" if size else "no"
    if kind != b"\2as":
        raise BusError("a value of another kind")
    found, end = [], start + size
    while start < end:
        (size,) = struct.unpack_from("<I", body, start)
        found.append(body[start + 4 : start + 4 + size].decode("utf-8", "surrogateescape"))
        start += 5 + size + -(5 + size) % 4
    return " ".join(found)
