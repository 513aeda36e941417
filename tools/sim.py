# SPDX-License-Identifier: MIT
"""Sim: a simulated world becomes a take, with the truth of who went where."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sim_hardware import take
from sim_hardware.take import Take
from sim_hardware.world import World, load
from sim_hardware.world.scenario import SCENARIOS
from tools.errors import UserError

_SECONDS_MOST = 86_400.0
_NODE_SECONDS_MOST = 400_000.0  # 0.8 GB of samples
_NAME_CHARS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch sim`."""
    parser.add_argument(
        "scenario", nargs="?", type=Path, help="a built-in scenario's name, or a .toml file"
    )
    parser.add_argument("--list", action="store_true", help="describe the built-in scenarios")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long (default 120)")
    parser.add_argument("--seed", type=int, default=1, help="of the world (default 1)")
    parser.add_argument("--out", type=Path, help="the take folder to write; must not exist")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw what each node heard")


def list_scenarios(console: Console) -> None:
    """One line for each built-in scenario."""
    table = Table("scenario", "nodes", "what happens")
    for path in sorted(SCENARIOS.glob("*.toml")):
        scenario = load(path)
        table.add_row(path.stem, str(len(scenario.nodes)), scenario.about)
    console.print(table)


def make(args: argparse.Namespace) -> Take:
    """The take that was asked for, with a bar while it is made."""
    world = World(load(args.scenario), args.seed)
    if len(world.nodes) * args.seconds > _NODE_SECONDS_MOST:
        raise UserError(
            f"{len(world.nodes)} nodes for {args.seconds:g} s are too much for one take; "
            "ask for fewer seconds, or let groundwatch score stream the scenario"
        )
    if len(world.scenario.name) > _NAME_CHARS:
        raise UserError(f"site.name {world.scenario.name!r} is longer than {_NAME_CHARS}")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{len(world.nodes)} nodes", total=args.seconds)
        return world.take(args.seconds, lambda done_s: bar.update(task, completed=done_s))


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
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write {path}: {error}") from None


def run(args: argparse.Namespace) -> int:
    """List, or make a take and write it."""
    console = Console(highlight=False)
    if args.list:
        list_scenarios(console)
        return 0
    if args.scenario is None:
        raise UserError("name a scenario; groundwatch sim --list describes them")
    if not 1 <= args.seconds <= _SECONDS_MOST:
        raise UserError(f"--seconds must be from 1 to {_SECONDS_MOST:g}")
    if args.seed < 0:
        raise UserError("--seed must be 0 or more")
    if args.out is None and args.plot is None:
        raise UserError("say where to: --out FOLDER for a take, --plot PNG for a picture")
    if args.out is not None and args.out.exists():
        raise UserError(f"{args.out} exists already; give a new folder")
    made = make(args)
    title = f"{made.site.name}, seed {args.seed}"
    if args.out is not None:
        try:
            take.save(made, args.out)
        except OSError as error:
            raise UserError(f"cannot write {args.out}: {error.strerror}") from None
    if args.plot is not None:
        plot(made, args.plot, title)
    truth = made.truth or {}
    console.print(
        f"{title}: {len(made.nodes)} nodes, {made.duration_s:g} s, "
        f"{len(truth['actors'])} passes, {len(truth['crossings'])} crossings of the line"
    )
    for place in (args.out, args.plot):
        if place is not None:
            console.print(str(place))
    return 0
