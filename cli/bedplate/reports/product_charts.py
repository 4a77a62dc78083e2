"""Charts as SVG in a page: their colours are the page's, and every bar says what it is."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

_ROW, _LABEL, _WIDE, _VALUE = 26, 170, 560, 130
_HIGH, _BASE = 120, 140
_MOST_DAYS, _LABEL_ROOM = 120, 90


class Bar(NamedTuple):
    """One bar: its name, its size, and how that is said."""

    label: str
    size: float
    said: str


class Column(NamedTuple):
    """One column: what it is of, and how many went well and ill."""

    label: str
    well: int
    ill: int


def bars(title: str, rows: Sequence[Bar]) -> Markup:
    """Return bars that lie, each with its name before it and its value behind it."""
    width, height = _LABEL + _WIDE + _VALUE, _ROW * len(rows) + 8
    svg = _canvas(title, width, height)
    most = max((row.size for row in rows), default=0) or 1
    for number, row in enumerate(rows):
        y = number * _ROW + 4
        _text(svg, row.label, _LABEL - 8, y + 16, anchor="end")
        length = max(1, round(_WIDE * row.size / most))
        bar = ET.SubElement(
            svg, "rect", {"class": "bar"}, x=str(_LABEL), y=str(y), width=str(length), height="20", rx="2"
        )
        ET.SubElement(bar, "title").text = f"{row.label}: {row.said}"
        _text(svg, row.said, _LABEL + length + 6, y + 16)
    return _markup(svg)


def columns(title: str, rows: Sequence[Column]) -> Markup:
    """Return standing columns in two parts, one a day; of more days than there is room for, the last ones."""
    rows = rows[-_MOST_DAYS:]
    step = min(40, max(6, (_LABEL + _WIDE) // max(1, len(rows))))
    svg = _canvas(title, _LABEL + _WIDE + _VALUE, _BASE + 24)
    most = max((row.well + row.ill for row in rows), default=0) or 1
    _text(svg, str(most), 28, 24, anchor="end", dim=True)
    _text(svg, "0", 28, _BASE, anchor="end", dim=True)
    ET.SubElement(svg, "path", {"class": "axis"}, d=f"M34 {_BASE}.5 H{34 + step * max(1, len(rows))}")
    for number, row in enumerate(rows):
        x, top = 34 + number * step, _BASE
        for kind, count in (("well", row.well), ("ill", row.ill)):
            high = round(_HIGH * count / most)
            top -= high
            part = {"class": kind, "x": str(x), "y": str(top), "width": str(max(2, step - 2)), "height": str(high)}
            ET.SubElement(ET.SubElement(svg, "rect", part), "title").text = f"{row.label}: {count} {_SAID[kind]}"
    last = len(rows) - 1
    for number in (0, last) if last * step >= _LABEL_ROOM else (0,) if rows else ():
        _text(svg, rows[number].label, 34 + number * step, _BASE + 18, dim=True)
    return _markup(svg)


_SAID = {"well": "successful", "ill": "failed"}


def _canvas(title: str, width: int, height: int) -> ET.Element:
    svg = ET.Element("svg", role="img", width=str(width), height=str(height), viewBox=f"0 0 {width} {height}")
    svg.set("aria-label", title)
    return svg


def _text(svg: ET.Element, text: str, x: int, y: int, *, anchor: str = "start", dim: bool = False) -> None:
    place = {"x": str(x), "y": str(y), "text-anchor": anchor, **({"class": "dim"} if dim else {})}
    ET.SubElement(svg, "text", place).text = text


def _markup(svg: ET.Element) -> Markup:
    return Markup(ET.tostring(svg, encoding="unicode"))  # noqa: S704 (ElementTree has escaped what is in it)
