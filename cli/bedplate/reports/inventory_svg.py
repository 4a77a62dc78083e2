"""The groups of an inventory as one self-contained drawing (SVG)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from bedplate.execution.inventory_cache import InventoryNames

_ROW, _STEP, _MARGIN, _BOX, _LETTER = 26, 30, 16, 20, 7.2
_HOSTS_DRAWN = 12
_STYLE = """
svg { background: #ffffff; font: 12px ui-monospace, Menlo, Consolas, monospace; }
.group rect { fill: #eaf1fb; stroke: #3566a8; } .group text { fill: #16324f; font-weight: bold; }
.host rect { fill: #ffffff; stroke: #8a94a3; } .host text { fill: #333a44; }
.note text { fill: #6b7480; font-style: italic; }
.count { fill: #6b7480; } .line { fill: none; stroke: #aab4c2; }
@media (prefers-color-scheme: dark) {
  svg { background: #14181d; } .group rect { fill: #1d3047; stroke: #6f9fdc; } .group text { fill: #dce9f9; }
  .host rect { fill: #14181d; stroke: #69737f; } .host text { fill: #c9d1da; }
  .note text, .count { fill: #8f99a5; } .line { stroke: #4b5561; }
}
"""


@dataclass(frozen=True)
class _Row:
    """One line of the drawing; `parent` is the number of the row that it hangs on."""

    depth: int
    parent: int | None
    kind: str
    text: str
    count: str = ""

    @property
    def x(self) -> int:
        return _MARGIN + self.depth * _STEP

    @property
    def width(self) -> int:
        return round(len(self.text) * _LETTER) + 16


def draw(names: InventoryNames, root: str = "all") -> str:
    """Return the drawing of a group with all that is below it.

    A group that stands in several is drawn in the first one. Hosts are drawn where a group has a few of its own, and
    counted where it has many.
    """
    rows = list(_rows(names, root))
    width = max(row.x + row.width + round(len(row.count) * _LETTER) + 24 for row in rows)
    height = 2 * _MARGIN + len(rows) * _ROW
    svg = ET.Element(
        "svg", xmlns="http://www.w3.org/2000/svg", role="img", width=str(width), height=str(height),
        viewBox=f"0 0 {width} {height}",
    )  # fmt: skip
    ET.SubElement(svg, "title").text = f"Groups and hosts of {root}"
    ET.SubElement(svg, "style").text = _STYLE
    for row_number, row in enumerate(rows):
        if row.parent is not None:
            _add_line(svg, rows[row.parent], row.parent, row, row_number)
    for row_number, row in enumerate(rows):
        _add_row(svg, row, row_number)
    ET.indent(svg)
    return f"{ET.tostring(svg, encoding='unicode')}\n"


def _rows(names: InventoryNames, root: str) -> Iterator[_Row]:
    """Yield the rows from the top down, parents before their children."""
    drawn: set[str] = set()
    waiting: list[tuple[str, int, int | None]] = [(root, 0, None)]
    number = 0
    while waiting:
        name, depth, parent = waiting.pop()
        if name in drawn:
            yield _Row(depth, parent, "note", f"{name}, as above")
            number += 1
            continue
        drawn.add(name)
        group = names.groups[name]
        total = len(names.below(name).hosts)
        yield _Row(depth, parent, "group", name, f"{total} host{'' if total == 1 else 's'}")
        own = number
        number += 1
        hosts = sorted(group.hosts)
        drawn_hosts = hosts if len(hosts) <= _HOSTS_DRAWN else []
        for host in drawn_hosts:
            yield _Row(depth + 1, own, "host", host)
        number += len(drawn_hosts)
        waiting += [(child, depth + 1, own) for child in sorted(group.children, reverse=True) if child in names.groups]


def _add_line(svg: ET.Element, parent: _Row, parent_number: int, row: _Row, number: int) -> None:
    x, top = parent.x + 10, _MARGIN + parent_number * _ROW + _BOX
    middle = _MARGIN + number * _ROW + _BOX // 2
    ET.SubElement(svg, "path", {"class": "line", "d": f"M{x} {top} V{middle} H{row.x}"})


def _add_row(svg: ET.Element, row: _Row, number: int) -> None:
    y = _MARGIN + number * _ROW
    part = ET.SubElement(svg, "g", {"class": row.kind})
    if row.kind != "note":
        ET.SubElement(part, "rect", x=str(row.x), y=str(y), width=str(row.width), height=str(_BOX), rx="4")
    ET.SubElement(part, "text", x=str(row.x + 8), y=str(y + 14)).text = row.text
    if row.count:
        count = {"class": "count", "x": str(row.x + row.width + 8), "y": str(y + 14)}
        ET.SubElement(svg, "text", count).text = row.count
