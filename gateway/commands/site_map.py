# SPDX-License-Identifier: MIT
"""Commands: the plan of a site as SVG, HTML or text: what the console's map shows, north up.

The drawing follows gateway/console/static/plan.js: the same outlines, signs and colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from gateway.model.place.site import Point, Site

WIDTH, HEIGHT = 800, 430
_FOOT = 48  # below: the ruler
_LETTER = 7  # pixels, of a label 12 high
_RULER_M = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_STYLE = """\
text { fill: #dbe3ea; font: 12px system-ui, sans-serif; text-anchor: middle; }
.faint { fill: #93a1ae; } .ruler { fill: none; stroke: #93a1ae; }
.sector { fill: #1b2731; stroke: #3a5064; } .sector.alarmed { fill: #35191a; stroke: #8c2f2a; }
.node { fill: #93a1ae; } .node.normal { fill: #57c28d; } .node.detecting { fill: #f4b13e; }
.node.offline { fill: none; stroke: #ff6057; stroke-width: 4; }
.node.not_reporting { fill: none; stroke: #93a1ae; stroke-width: 2; }
.node.fault { fill: none; stroke: #f4b13e; stroke-width: 3; }
.radius { fill: #7cb6e2; fill-opacity: .08; stroke: #7cb6e2; stroke-opacity: .4; }
.target { fill: none; stroke: #ff6057; stroke-width: 2; }"""


@dataclass(frozen=True)
class Target:
    """An active intrusion alarm with a position."""

    alarm: int
    name: str
    x_m: float
    y_m: float


@dataclass(frozen=True)
class Live:
    """States of nodes and what is active, as the running gateway reports them."""

    states: Mapping[str, str] = field(default_factory=dict)
    alarmed: frozenset[str] = frozenset()  # sectors
    targets: tuple[Target, ...] = ()


class _Scale:
    """Local metres to the drawing, whose y goes down."""

    def __init__(
        self,
        site: Site,
        size: Point,
        margin: float,
        radii: Mapping[str, float] | None = None,
    ) -> None:
        points = [(one.x_m, one.y_m) for one in site.nodes.values()]
        for name, metres in (radii or {}).items():
            x_m, y_m = site.nodes[name].x_m, site.nodes[name].y_m
            points += [(x_m - metres, y_m - metres), (x_m + metres, y_m + metres)]
        points += [corner for one in site.sectors.values() for corner in one.polygon]
        xs, ys = [x for x, _y in points] or [0.0], [y for _x, y in points] or [0.0]
        self._middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        self._size = size
        self.per_m = min(
            (size[0] - 2 * margin) / max(max(xs) - min(xs), 10),
            (size[1] - 2 * margin) / max(max(ys) - min(ys), 10),
        )

    def place(self, x_m: float, y_m: float) -> Point:
        x = self._size[0] / 2 + (x_m - self._middle[0]) * self.per_m
        return x, self._size[1] / 2 - (y_m - self._middle[1]) * self.per_m


def svg(site: Site, live: Live | None = None, radii: Mapping[str, float] | None = None) -> str:
    """The whole drawing. `radii`: circles of so many metres around nodes."""
    live = live or Live()
    scale = _Scale(site, (WIDTH, HEIGHT - _FOOT), 30 if radii else 70, radii)
    label = _Labels()
    parts = [f"<style>\n{_STYLE}\n</style>", '<rect width="100%" height="100%" fill="#0d1115"/>']
    for sector in site.sectors.values():
        parts += _sector(site, sector.id, sector.polygon, scale, live, label)
    for name, metres in (radii or {}).items():
        x, y = scale.place(site.nodes[name].x_m, site.nodes[name].y_m)
        parts.append(f'<circle class="radius" cx="{x:.1f}" cy="{y:.1f}" r="{_px(metres, scale)}"/>')
    for node in site.nodes.values():
        x, y = scale.place(node.x_m, node.y_m)
        parts.append(_sign(x, y, live.states.get(node.id, ""), node.id))
        parts += label.at(x, y + 24, node.id)
    for target in live.targets:
        x, y = scale.place(target.x_m, target.y_m)
        parts.append(f'<circle class="target" cx="{x:.1f}" cy="{y:.1f}" r="14"/>')
        parts += label.at(x, y - 20, f"{target.name} #{target.alarm}")
    parts.append(_ruler(scale.per_m))
    frame = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {frame} role="img" '
    head += f'aria-label="plan of the site {escape(site.name)}">'
    return "\n".join([head, *parts, "</svg>\n"])


def html(site: Site, drawing: str) -> str:
    """A page with the drawing in it; it needs no other file."""
    title = f"{escape(site.name)}: plan"
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f'<body style="margin:0;background:#0d1115">\n{drawing}</body></html>\n'
    )


def text(site: Site, width: int, live: Live | None = None) -> list[str]:
    """The same for a terminal: `o` is a node, `x` one that is offline, `*` one that detects, `!` a
    target."""
    live = live or Live()
    columns = max(20, width)
    rows = max(7, min(24, columns // 4))
    # A character is about twice as high as wide.
    scale = _Scale(site, (columns, 2 * rows), 8)
    grid = [[" "] * columns for _ in range(rows)]
    for sector in site.sectors.values():
        corners = [scale.place(*corner) for corner in sector.polygon]
        for one, other in zip(corners, [*corners[1:], *corners[:1]], strict=True):
            _draw_line(grid, one, other)
    for node in site.nodes.values():
        x, y = scale.place(node.x_m, node.y_m)
        sign = {"offline": "x", "detecting": "*"}.get(live.states.get(node.id, ""), "o")
        _write(grid, x, y, f"{sign} {node.id}")
    for target in live.targets:
        _write(grid, *scale.place(target.x_m, target.y_m), f"! {target.name}")
    metres = _ruler_m(scale.per_m, columns / 6)
    lines = ["".join(row).rstrip() for row in grid]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return [
        *lines,
        "",
        f"|{'-' * max(1, round(metres * scale.per_m) - 1)}| {metres} m, north is up",
    ]


def _sector(
    site: Site,
    name: str,
    polygon: Sequence[Point],
    scale: _Scale,
    live: Live,
    label: _Labels,
) -> list[str]:
    corners = [scale.place(*corner) for corner in polygon]
    is_area = len(corners) > 2
    own = [scale.place(site.nodes[one].x_m, site.nodes[one].y_m) for one in site.sector_nodes(name)]
    parts = []
    if is_area:
        kind = "sector alarmed" if name in live.alarmed else "sector"
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        parts.append(f'<polygon class="{kind}" points="{points}"/>')
    middle = corners if is_area else own
    if not middle:
        return parts
    x = sum(one[0] for one in middle) / len(middle)
    y = min(one[1] for one in middle)
    return parts + label.at(x, y - 8 if is_area else y + 44, name, "faint")


def _sign(x: float, y: float, state: str, name: str) -> str:
    """A cross for offline: many people cannot distinguish red from green."""
    title = f"<title>{escape(name)}</title>"
    kind = f"node {state}".strip()
    if state == "offline":
        return (
            f'<path class="{kind}" d="M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14">{title}</path>'
        )
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="8">{title}</circle>'


def _ruler(per_m: float) -> str:
    metres = _ruler_m(per_m, 60)
    end, y = WIDTH - 16, HEIGHT - 12
    start = end - metres * per_m
    return (
        f'<path class="ruler" d="M{start:.1f} {y}v-6v3H{end}v-3v6"/>'
        f'<text class="faint" x="{(start + end) / 2:.1f}" y="{HEIGHT - 22}">{metres} m</text>'
    )


def _ruler_m(per_m: float, least: float) -> int:
    return next((step for step in _RULER_M if step * per_m > least), 2000)


def _px(metres: float, scale: _Scale) -> str:
    return f"{metres * scale.per_m:.1f}"


class _Labels:
    """A label only where there is space: overlapping labels cannot be read."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float]] = []

    def at(self, x: float, y: float, words: str, style: str = "") -> list[str]:
        half = len(words) * _LETTER / 2
        if any(abs(a - x) < half + wide and abs(b - y) < 13 for a, b, wide in self._taken):
            return []
        self._taken.append((x, y, half))
        kind = f' class="{style}"' if style else ""
        return [f'<text{kind} x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>']


def _draw_line(grid: list[list[str]], one: Point, other: Point) -> None:
    steps = max(1, round(max(abs(other[0] - one[0]), abs(other[1] - one[1]))))
    for step in range(steps + 1):
        x = one[0] + (other[0] - one[0]) * step / steps
        y = one[1] + (other[1] - one[1]) * step / steps
        _write(grid, x, y, ".")


def _write(grid: list[list[str]], x: float, y: float, words: str) -> None:
    row = min(len(grid) - 1, max(0, int(y / 2)))
    for at, sign in enumerate(words, int(x)):
        if 0 <= at < len(grid[row]):
            grid[row][at] = sign
