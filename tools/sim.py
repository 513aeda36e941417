# SPDX-License-Identifier: MIT
"""`groundwatch sim export`: a simulated world as a take, with its ground truth."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from sim_hardware import take
from sim_hardware.take import Take
from sim_hardware.world import World, load
from tools import output
from tools.errors import UserError

_MAX_SECONDS = 86_400.0
_MAX_NODE_SECONDS = 400_000.0  # 0.8 GB of samples
_NAME_CHARS = 16


def make(scenario: Path, seconds: float, seed: int) -> Take:
    """The requested take, with a progress bar."""
    world = World(load(scenario), seed)
    if len(world.nodes) * seconds > _MAX_NODE_SECONDS:
        raise UserError(
            f"{len(world.nodes)} nodes for {seconds:g} s are too much for one take; "
            "give fewer seconds, or let groundwatch score stream the scenario"
        )
    if len(world.scenario.name) > _NAME_CHARS:
        raise UserError(f"site.name {world.scenario.name!r} is longer than {_NAME_CHARS}")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{len(world.nodes)} nodes", total=seconds)
        return world.take(seconds, lambda done_s: bar.update(task, completed=done_s))


def plot(made: Take, path: Path, title: str) -> None:
    """A strip of ground velocity for each node, PIR pulses below it, crossings as lines."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    from matplotlib.figure import Figure

    count = len(made.nodes)
    figure = Figure(figsize=(11, 1 + 0.9 * count), layout="constrained")
    strips = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for strip, node in zip(strips, made.nodes, strict=True):
        signal = made.signals[node.id]
        um_s = signal.velocity() * 1e6
        t_s = np.arange(um_s.size) / signal.fs_hz
        strip.plot(t_s, um_s, lw=0.3, color="0.25", rasterized=True)
        edges = signal.pir_edges_s
        low = float(um_s.min())
        for begin_s, end_s in zip(edges[::2], [*edges[1::2], made.duration_s], strict=False):
            strip.plot([begin_s, end_s], [low, low], lw=3, color="tab:orange")
        for crossing in (made.truth or {}).get("crossings", []):
            strip.axvline(crossing["t_s"], lw=0.8, color="tab:red")
        strip.set_ylabel(f"{node.id}\num/s", fontsize=7)
        strip.tick_params(labelsize=7)
    strips[0].set_title(title, fontsize=9)
    strips[-1].set_xlabel("s (orange: PIR, red: the line is crossed)", fontsize=8)
    drawn = io.BytesIO()
    try:
        figure.savefig(drawn, dpi=110, format=path.suffix.removeprefix(".") or "png")
    except ValueError as error:
        raise UserError(f"cannot write {path}: {error}") from None
    output.write(path, drawn.getvalue())


def export(
    scenario: Path | None,
    seconds: float,
    seed: int,
    out: Path | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """SCENARIO is the name of a built-in one, or a .toml file."""
    if scenario is None:
        raise UserError("name a scenario; groundwatch sim list describes them")
    if not 1 <= seconds <= _MAX_SECONDS:
        raise UserError(f"--seconds must be from 1 to {_MAX_SECONDS:g}")
    if seed < 0:
        raise UserError("--seed must be 0 or more")
    if out is None and picture is None:
        raise UserError("name an output: --out FOLDER for a take, --plot PNG for a picture")
    if out is not None and out.exists():
        raise UserError(f"{out} exists already; give a new folder")
    if out is not None:
        output.check_folder(out)
    if picture is not None:
        output.check(picture)
    made = make(scenario, seconds, seed)
    title = f"{made.site.name}, seed {seed}"
    if out is not None:
        try:
            take.save_new(made, out)
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from None
    if picture is not None:
        plot(made, picture, title)
    _show(made, title, [place for place in (out, picture) if place is not None], as_json)


def _show(made: Take, title: str, places: list[Path], as_json: bool) -> None:
    truth = made.truth or {}
    counts = {
        "nodes": len(made.nodes),
        "seconds": made.duration_s,
        "passes": len(truth["actors"]),
        "crossings": len(truth["crossings"]),
    }
    if as_json:
        print(json.dumps({"type": "take", **counts, "files": [str(place) for place in places]}))
        return
    console = Console(highlight=False)
    console.print(
        f"{title}: {len(made.nodes)} nodes, {made.duration_s:g} s, "
        f"{counts['passes']} passes, {counts['crossings']} crossings of the line"
    )
    for place in places:
        console.print(str(place))
