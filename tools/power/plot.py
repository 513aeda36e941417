# SPDX-License-Identifier: MIT
"""Workbench: the year of a battery as a drawing: plain SVG text, the same bytes every time."""

from __future__ import annotations

from html import escape

from tools.power.sun import MONTH_DAYS
from tools.power.year import DAYS, Year

_WIDTH, _HEIGHT = 760, 360
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 56, 16, 64
_MONTHS = "JFMAMJJASOND"
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.h{font:bold 15px sans-serif}.m{text-anchor:middle}"
    ".e{text-anchor:end}.g{stroke:#ddd}.c{fill:none;stroke:#1f5fa8;stroke-width:2}"
    ".f{fill:#e9e4dc;stroke:#8a6d3b;stroke-dasharray:5 3}.w{fill:#f6d5cd}.a{fill:none;stroke:#222}"
)


def draw_year(year: Year, title: str, subtitle: str) -> str:
    """SVG: charge by day (blue), the charge below the minimum (grey), the worst week (red)."""
    frame = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}"'
    floor = f"{_line(year.floor)} L{_x(DAYS):.1f} {_y(0):.1f} L{_x(0):.1f} {_y(0):.1f} Z"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        "<!-- SPDX-License-Identifier: MIT -->",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text class="h" x="{_LEFT}" y="22">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="42">{escape(subtitle)}</text>',
        *_worst(year),
        f'<path class="f" d="{floor}"/>',
        *_grid(),
        f'<path class="c" d="{_line(year.charge)}"/>',
        *_legend(year),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(day: float) -> float:
    return _LEFT + day / DAYS * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)


def _line(shares: tuple[float, ...]) -> str:
    points = [f"{_x(day + 0.5):.1f} {_y(share):.1f}" for day, share in enumerate(shares)]
    return "M" + " L".join(points)


def _worst(year: Year) -> list[str]:
    first, last = year.worst_day, year.worst_day + 7
    spans = [(first, min(last, DAYS))]
    if last > DAYS:
        spans.append((0, last - DAYS))
    return [
        f'<rect class="w" x="{_x(begin):.1f}" y="{_y(1):.1f}" '
        f'width="{_x(end) - _x(begin):.1f}" height="{_y(0) - _y(1):.1f}"/>'
        for begin, end in spans
    ]


def _grid() -> list[str]:
    lines = []
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        lines.append(f'<path class="g" d="M{_LEFT} {y:.1f}H{_x(DAYS):.1f}"/>')
        lines.append(f'<text class="e" x="{_LEFT - 6}" y="{y + 4:.1f}">{percent} %</text>')
    day = 0
    for letter, length in zip(_MONTHS, MONTH_DAYS, strict=True):
        lines.append(f'<path class="g" d="M{_x(day):.1f} {_y(1):.1f}V{_y(0):.1f}"/>')
        lines.append(
            f'<text class="m" x="{_x(day + length / 2):.1f}" y="{_y(0) + 18:.1f}">{letter}</text>'
        )
        day += length
    box = f"M{_LEFT} {_y(1):.1f}H{_x(DAYS):.1f}V{_y(0):.1f}H{_LEFT}Z"
    return [*lines, f'<path class="a" d="{box}"/>']


def _legend(year: Year) -> list[str]:
    y = _HEIGHT - 16
    worst = f"worst week: {year.worst_week}"
    return [
        f'<path class="c" d="M{_LEFT} {y - 4}h24"/>',
        f'<text x="{_LEFT + 30}" y="{y}">charge at the end of the day</text>',
        f'<rect class="f" x="{_LEFT + 236}" y="{y - 11}" width="18" height="12"/>',
        f'<text x="{_LEFT + 260}" y="{y}">not to be drawn</text>',
        f'<rect class="w" x="{_LEFT + 388}" y="{y - 11}" width="18" height="12"/>',
        f'<text x="{_LEFT + 412}" y="{y}">{escape(worst)}</text>',
    ]
