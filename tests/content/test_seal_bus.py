"""Properties of units by systemd's own socket: from one that answers so, and from others that do not."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin

SEAL = load_plugin("plugins/modules/seal.py")
SYSTEM = SEAL.system
BUS = sys.modules[SYSTEM.BusError.__module__]
UNIT = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled",
    "FragmentPath": "/etc/systemd/system/a.service", "DropInPaths": "/etc/a /etc/bc", "TriggeredBy": "",
}  # fmt: skip
SERVICE = {"Type": "oneshot", "RemainAfterExit": "yes"}
LISTS = ("DropInPaths", "TriggeredBy")


def padded(content: bytes, size: int) -> bytes:
    return content + bytes(-len(content) % size)


def text(before: bytes, value: str) -> bytes:
    return padded(before, 4) + struct.pack("<I", len(value.encode())) + value.encode() + b"\0"


def variant(before: bytes, name: str, value: str) -> bytes:
    if name in LISTS:
        items = b""
        for each in value.split():
            items = text(items, each)
        return padded(before + b"\2as\0", 4) + struct.pack("<I", len(items)) + items
    if name == "RemainAfterExit":
        return padded(before + b"\1b\0", 4) + struct.pack("<I", value == "yes")
    return text(before + b"\1s\0", value)


def all_of(unit: dict[str, str]) -> bytes:
    body = bytes(8)
    # A property with the name of another one in its value, and one of another kind.
    for name, value in {"Description": "\x0bActiveState", **unit}.items():
        body = variant(text(padded(body, 8), name), name, value)
    return body


def message(kind: int, serial: int, body: bytes, order: bytes = b"l") -> bytes:
    fields = b"\5\1u\0" + struct.pack("<I", serial) + b"\x08\1g\0\1v\0"
    return padded(order + bytes([kind, 0, 1]) + struct.pack("<III", len(body), 7, len(fields)) + fields, 8) + body


Answer = Callable[[int, bool], bytes]


def right(serial: int, of_unit: bool) -> bytes:
    signal = message(4, 0, b"")
    name = "Type" if serial == 2 else "RemainAfterExit"
    return signal + message(2, serial, all_of(UNIT) if of_unit else variant(b"", name, SERVICE[name]))


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Callable[[Answer, bytes], str]]:
    """Starts a systemd that answers each call in a way of its own."""
    path = str(tmp_path / "private")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    threads = []

    def start(answer: Answer, welcome: bytes = b"OK 0\r\n") -> str:
        def serve() -> None:
            bus, _ = listening.accept()
            with bus:
                bus.recv(1024)
                bus.sendall(welcome)
                asked = bus.recv(1 << 16)
                for serial in range(1, asked.count(b"DBus.Properties\0") + 1):
                    bus.sendall(answer(serial, serial == 1))

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return path

    yield start
    for thread in threads:
        thread.join()
    listening.close()


def test_units_have_the_properties_that_systemd_tells(systemd: Callable[..., str]) -> None:
    assert BUS.properties(["a.service"], systemd(right)) == [{**UNIT, **SERVICE}]
    assert BUS.properties(["a.timer"], systemd(right)) == [UNIT]


@pytest.mark.parametrize(
    ("answer", "welcome"),
    [
        (lambda serial, _of_unit: message(3, serial, b""), b"OK 0\r\n"),
        (lambda serial, _of_unit: message(2, serial, b"\1u\0\0" + bytes(4)), b"OK 0\r\n"),
        (lambda serial, _of_unit: message(2, serial, b"", b"B"), b"OK 0\r\n"),
        (lambda _serial, _of_unit: b"", b"OK 0\r\n"),
        (right, b"REJECTED\r\n"),
    ],
    ids=["error", "another kind", "another order", "hangs up", "refuses"],
)
def test_who_answers_otherwise_is_not_believed(systemd: Callable[..., str], answer: Answer, welcome: bytes) -> None:
    with pytest.raises(BUS.BusError):
        BUS.properties(["a.service"], systemd(answer, welcome))


@pytest.mark.parametrize("name", ["a", "a*.service", "/dev/sda", "-.service x", "ä.service", "a@.service"])
def test_names_that_are_not_plain_are_left_to_systemctl(tmp_path: Path, name: str) -> None:
    with pytest.raises(BUS.BusError):
        BUS.properties([name], str(tmp_path / "nobody"))


def test_where_systemd_has_no_such_socket_systemctl_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask = BUS.properties
    monkeypatch.setattr(SYSTEM.os.path, "isdir", lambda _path: True)
    monkeypatch.setattr(SYSTEM, "properties", lambda names: ask(names, str(tmp_path / "nobody")))
    monkeypatch.setattr(SYSTEM, "output", lambda _words: "\n".join(f"{name}={value}" for name, value in UNIT.items()))
    found = SYSTEM.units(["a.service"], SEAL.FileReader())
    assert (found["a.service"]["enabled"], found["a.service"]["state"]) == ("enabled", "active")


@given(st.text("aZ09-_.@\\", min_size=1))
def test_each_unit_has_a_path_of_its_own(name: str) -> None:
    path = BUS._escaped(name).removeprefix("/org/freedesktop/systemd1/unit/")
    assert path.replace("_", "").isalnum()
    assert not path[0].isdigit()
    parts = path.split("_")
    assert parts[0] + "".join(chr(int(part[:2], 16)) + part[2:] for part in parts[1:]) == name
