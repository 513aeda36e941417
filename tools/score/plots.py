# SPDX-License-Identifier: MIT
"""Score: the figures as pictures, and one self-contained page with pictures and tables."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from tools.score.figures import bounds
from tools.score.tables import sheets
from tools.score.truth import RINGS_M

_SIZE = (6.4, 4.0)
_DPI = 110
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:bold}"
    "td,th{border:1px solid #ccc;padding:.15rem .5rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}"
)


def _errors(figures: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Values (n,) and their distances to the bounds (2, n), as matplotlib wants them."""
    values, lows, highs = np.array([bounds(figure) for figure in figures]).T
    return values, np.array([values - lows, highs - values])


def _rings(score: Mapping[str, Any], axes: Axes) -> None:
    names = [f"{low:.0f}-{high:.0f} m" for low, high in RINGS_M]
    rows = [row for row in score["pd_by_ring"] if row["condition"] == "calm"]
    for index, kind in enumerate(dict.fromkeys(row["class"] for row in rows)):
        mine = [row for row in rows if row["class"] == kind]
        x = np.array([names.index(row["ring"]) for row in mine]) + 0.08 * (index - 2)
        values, errors = _errors([row["pd"] for row in mine])
        axes.errorbar(x, 100 * values, 100 * errors, fmt="o", capsize=3, label=kind)
    axes.set_xticks(range(len(names)), names)
    axes.set(xlabel="closest approach", ylabel="Pd, % (95 %)", title="One node, calm")
    axes.set_ylim(-3, 103)
    if rows:
        axes.legend()


def _roc(x_key: str, y_key: str, labels: tuple[str, str]) -> Callable[..., None]:
    def draw(score: Mapping[str, Any], axes: Axes) -> None:
        rows = score["roc"]
        measured = [row for row in rows if row[x_key]["value"] is not None]
        measured = [row for row in measured if row[y_key]["value"] is not None]
        if measured:
            x, x_errors = _errors([row[x_key] for row in measured])
            y, y_errors = _errors([row[y_key] for row in measured])
            axes.errorbar(x, 100 * y, 100 * y_errors, x_errors, fmt=".-", capsize=2, lw=1)
            for row, at_x, at_y in zip(measured, x, y, strict=True):
                axes.annotate(str(row["confidence_pct"]), (at_x, 100 * at_y), fontsize=8)
        axes.set_xscale("symlog", linthresh=0.1)
        axes.set(xlabel=labels[0], ylabel=labels[1], title="Least confidence swept")
        axes.set_xlim(left=0)

    return draw


def _false(score: Mapping[str, Any], axes: Axes) -> None:
    rows = score["false_detections"]
    values, errors = _errors([row["per_day"] for row in rows])
    axes.errorbar(range(len(rows)), values, errors, fmt="s", capsize=4)
    axes.set_xticks(range(len(rows)), [row["condition"] for row in rows])
    axes.set(ylabel="per node-day (95 %)", title="False detections")
    axes.set_ylim(bottom=0)


def _reliability(score: Mapping[str, Any], axes: Axes) -> None:
    rows = [row for row in score["reliability"]["rows"] if row["wanted"]["value"] is not None]
    axes.plot([0, 100], [0, 100], color="0.8", lw=1)
    if rows:
        values, errors = _errors([row["wanted"] for row in rows])
        stated = [100 * row["stated"] for row in rows]
        axes.errorbar(stated, 100 * values, 100 * errors, fmt="o", capsize=3)
    axes.set(xlabel="confidence stated, %", ylabel="wanted, % (95 %)", title="Events")


def _confusion(score: Mapping[str, Any], axes: Axes) -> None:
    given = score["confusion"]
    names = given["classes"]
    matrix = np.array(given["matrix"], float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for (row, column), count in np.ndenumerate(matrix):
        dark = shares[row, column] > 0.6
        axes.text(
            column, row, f"{count:.0f}", ha="center", va="center", color="white" if dark else "k"
        )
    axes.set_xticks(range(len(names)), names, rotation=30)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="class reported", ylabel="truth", title="By event")


PLOTS: Mapping[str, Callable[..., None]] = {
    "pd_by_ring": _rings,
    "false_detections": _false,
    "roc_detections": _roc(
        "false_detections_per_node_day",
        "pd_audible_persons",
        ("false detections per node-day", "audible persons detected, %"),
    ),
    "roc_alarms": _roc(
        "false_alarms_per_day",
        "crossings_alarmed",
        ("false alarms per day", "crossings alarmed, %"),
    ),
    "reliability": _reliability,
    "confusion": _confusion,
}


def draw(score: Mapping[str, Any]) -> dict[str, bytes]:
    """Every plot by its name, as PNG."""
    pictures = {}
    for name, plot in PLOTS.items():
        picture = Picture(figsize=_SIZE, dpi=_DPI, layout="constrained")
        plot(score, picture.subplots())
        buffer = io.BytesIO()
        # Without the version that matplotlib would write: one score gives the same bytes.
        picture.savefig(buffer, format="png", metadata={"Software": None})
        pictures[name] = buffer.getvalue()
    return pictures


def write_pictures(score: Mapping[str, Any], folder: Path) -> None:
    """Write NAME.png for every plot into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in draw(score).items():
        (folder / f"{name}.png").write_bytes(data)


def page(score: Mapping[str, Any]) -> str:
    """One self-contained HTML page: no script, no style or picture from anywhere else."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Groundwatch scores</title>',
        f"<style>{_STYLE}</style></head><body><h1>Groundwatch scores</h1>",
        f"<p>{score['hours']:g} hours of ground in {len(score['runs'])} runs;",
        "95 % confidence intervals in brackets.</p>",
    ]
    for name, data in draw(score).items():
        encoded = base64.b64encode(data).decode()
        parts.append(f'<img alt="{name}" src="data:image/png;base64,{encoded}">')
    for sheet in sheets(score):
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in sheet.heads)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(word)}</td>" for word in row) + "</tr>"
            for row in sheet.rows
        )
        title = html.escape(sheet.title)
        parts.append(f"<table><caption>{title}</caption><tr>{heads}</tr>{rows}</table>")
    parts.append(f"<p>Runs: {html.escape(', '.join(score['runs']))}</p></body></html>")
    return "\n".join(parts) + "\n"
