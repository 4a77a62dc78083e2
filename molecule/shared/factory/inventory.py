"""The lab's inventory folder: as it is, or copied with the addresses of another subnet."""

from __future__ import annotations

import ipaddress
import re
import shutil
from pathlib import Path

from factory.keys import write

SNAPSHOT = ".snapshot.json"
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def copy_inventory(source: Path, target: Path, old: ipaddress.IPv4Network, new: ipaddress.IPv4Network) -> None:
    """Copy an inventory folder; every address of `old` in it becomes the one with the same host part in `new`."""
    shutil.rmtree(target, ignore_errors=True)
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        copied = target / file.relative_to(source)
        copied.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(copied, _moved(file.read_text(encoding="utf-8"), old, new))


def _moved(text: str, old: ipaddress.IPv4Network, new: ipaddress.IPv4Network) -> str:
    def move(match: re.Match[str]) -> str:
        try:
            address = ipaddress.IPv4Address(match.group())
        except ValueError:
            return match.group()
        return str(new[int(address) - int(old[0])]) if address in old else match.group()

    return _ADDRESS.sub(move, text)
