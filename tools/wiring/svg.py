# SPDX-License-Identifier: MIT
"""The pieces of a drawing: boxes, wires and the symbols of a circuit, as SVG text."""

from __future__ import annotations

from html import escape

STYLE = (
    ".l{fill:none;stroke:#222;stroke-width:1.6}.p{fill:#fff;stroke:#222;stroke-width:1.6}"
    ".b{fill:#e9f2e4;stroke:#222;stroke-width:1.6}.d{fill:#222}.n{fill:#f4f1ea;stroke:#b5a98f}"
    ".t{font:13px sans-serif;fill:#222}.h{font:bold 14px sans-serif;fill:#222}"
    ".s{font:12px monospace;fill:#222}.r{font:bold 12px sans-serif;fill:#1f4e79}"
    ".e{text-anchor:end}.m{text-anchor:middle}"
)


def drawing(width: int, height: int, label: str, parts: list[str]) -> str:
    """A whole SVG file on a white ground."""
    frame = f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
            "<!-- SPDX-License-Identifier: MIT -->",
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, style: str = "t") -> str:
    """One line; `style` is classes of STYLE."""
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, style: str = "p") -> str:
    """A rectangle with round corners."""
    return (
        f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
    )


def wire(*points: tuple[float, float]) -> str:
    """Straight pieces through points."""
    return f'<path class="l" d="M{" L".join(f"{x:g} {y:g}" for x, y in points)}"/>'


def dot(x: float, y: float) -> str:
    """A junction."""
    return f'<circle class="d" cx="{x:g}" cy="{y:g}" r="3.2"/>'


def resistor_v(x: float, top: float, bottom: float) -> str:
    """Upright, with its wires from top to bottom."""
    middle = (top + bottom) / 2
    return (
        wire((x, top), (x, middle - 18))
        + f'<rect class="p" x="{x - 7:g}" y="{middle - 18:g}" width="14" height="36"/>'
        + wire((x, middle + 18), (x, bottom))
    )


def resistor_h(left: float, right: float, y: float) -> str:
    """Lying, with its wires from left to right."""
    middle = (left + right) / 2
    return (
        wire((left, y), (middle - 18, y))
        + f'<rect class="p" x="{middle - 18:g}" y="{y - 7:g}" width="36" height="14"/>'
        + wire((middle + 18, y), (right, y))
    )


def capacitor_v(x: float, top: float, bottom: float) -> str:
    """Upright, with its wires from top to bottom."""
    middle = (top + bottom) / 2
    return (
        wire((x, top), (x, middle - 4))
        + wire((x - 13, middle - 4), (x + 13, middle - 4))
        + wire((x - 13, middle + 4), (x + 13, middle + 4))
        + wire((x, middle + 4), (x, bottom))
    )


def capacitor_h(left: float, right: float, y: float) -> str:
    """Lying, with its wires from left to right."""
    middle = (left + right) / 2
    return (
        wire((left, y), (middle - 4, y))
        + wire((middle - 4, y - 13), (middle - 4, y + 13))
        + wire((middle + 4, y - 13), (middle + 4, y + 13))
        + wire((middle + 4, y), (right, y))
    )


def op_amp(x: float, y: float, label: str) -> str:
    """Its inputs at (x, y) for + and (x, y + 50) for -, its output at (x + 90, y + 25)."""
    return (
        f'<path class="p" d="M{x:g} {y - 20:g} L{x + 90:g} {y + 25:g} L{x:g} {y + 70:g} Z"/>'
        + text(x + 8, y + 5, "+", "h")
        + text(x + 9, y + 54, "-", "h")
        + text(x + 24, y + 30, label, "t")
    )


def ground(x: float, y: float, label: str = "AGND") -> str:
    """With its name below."""
    bars = ((14, 0), (9, 5), (4, 10))
    return "".join(wire((x - half, y + down), (x + half, y + down)) for half, down in bars) + text(
        x, y + 26, label, "s m"
    )


def supply(x: float, y: float, label: str) -> str:
    """A bar with its name above."""
    return wire((x - 12, y), (x + 12, y)) + text(x, y - 7, label, "s m")
