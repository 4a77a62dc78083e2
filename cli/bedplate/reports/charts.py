"""Small charts as SVG that stands inside of a page and takes its colours from the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_ROW, _LABEL, _WIDTH, _VALUE = 24, 190, 620, 90
_HEIGHT, _MARGIN, _TICKS = 180, 28, 4
_LONGEST = 26


class Bar(NamedTuple):
    """One bar: what it is of, how long, and what stands beside it."""

    label: str
    value: float
    told: str


class Point(NamedTuple):
    """One moment of a course."""

    label: str
    value: float


def bars(title: str, rows: Sequence[Bar], most: float | None = None) -> str:
    """Return lying bars, one a row.

    Args:
        most: the value of a full bar; by default the largest.
    """
    full = most or max((row.value for row in rows), default=0) or 1
    room = _WIDTH - _LABEL - _VALUE
    drawn = "".join(_bar(number, row, room * min(row.value, full) / full) for number, row in enumerate(rows))
    return _svg(title, _ROW * len(rows) + 4, drawn)


def _bar(number: int, row: Bar, length: float) -> str:
    y = number * _ROW + 4
    label = row.label if len(row.label) <= _LONGEST else f"{row.label[: _LONGEST - 1]}…"
    return (
        f"<g><title>{escape(row.label)}: {escape(row.told)}</title>"
        f'<text class="label" x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label)}</text>'
        f'<rect class="bar" x="{_LABEL}" y="{y}" width="{max(length, 1):.1f}" height="{_ROW - 8}" rx="2"/>'
        f'<text class="value" x="{_LABEL + max(length, 1) + 6:.1f}" y="{y + 13}">{escape(row.told)}</text></g>'
    )


def course(title: str, points: Sequence[Point]) -> str:
    """Return how a value went, as a line over an area."""
    most = max((point.value for point in points), default=0) or 1
    inner = _HEIGHT - 2 * _MARGIN
    step = (_WIDTH - 2 * _MARGIN) / max(len(points) - 1, 1)
    places = [
        (_MARGIN + index * step, _MARGIN + inner * (1 - point.value / most)) for index, point in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    base = _HEIGHT - _MARGIN
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3">'
        f"<title>{escape(point.label)}: {point.value:g}</title></circle>"
        for (x, y), point in zip(places, points, strict=True)
    )
    area = f'<polygon class="area" points="{_MARGIN},{base} {line} {places[-1][0]:.1f},{base}"/>' if places else ""
    return _svg(title, _HEIGHT, f'{_axis(most)}{area}<polyline class="line" points="{line}"/>{dots}{_ends(points)}')


def _axis(most: float) -> str:
    inner = _HEIGHT - 2 * _MARGIN
    values = sorted({round(most * tick / _TICKS) for tick in range(_TICKS + 1)})
    lines = []
    for value in values:
        y = _MARGIN + inner * (1 - value / most)
        lines.append(
            f'<line class="grid" x1="{_MARGIN}" y1="{y:.1f}" x2="{_WIDTH - _MARGIN}" y2="{y:.1f}"/>'
            f'<text class="value" x="{_MARGIN - 5}" y="{y + 4:.1f}" text-anchor="end">{value}</text>'
        )
    return "".join(lines)


def _ends(points: Sequence[Point]) -> str:
    if not points:
        return ""
    y = _HEIGHT - 8
    return (
        f'<text class="value" x="{_MARGIN}" y="{y}">{escape(points[0].label)}</text>'
        f'<text class="value" x="{_WIDTH - _MARGIN}" y="{y}" text-anchor="end">{escape(points[-1].label)}</text>'
    )


def _svg(title: str, height: int, inner: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}">{inner}</svg>'
    )
