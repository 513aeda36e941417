# SPDX-License-Identifier: MIT
"""Replay: a take or a recording through the real firmware and the real gateway, in virtual time."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.status import Status

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.service.outcome import Outcome
from gateway.service.stages import Stages
from sim_hardware.site import write_site
from tools import micropython, replay_store
from tools.errors import UserError
from tools.line_printer import LinePrinter
from tools.score.truth import Point
from tools.trees import write_settings, write_trees

# The simulator is an extra; a store is replayed without it.
if TYPE_CHECKING:
    from sim_hardware.take import Take
    from sim_hardware.virtual import VirtualRun

_TICK_US = 1_000_000
_MIN_AMBIENT_NM_S, _MAX_AMBIENT_NM_S = 1.0, 100_000.0


@dataclass(frozen=True)
class Replay:
    """What one replay gave: JSON lines in the order of the decisions, and the summary."""

    lines: list[dict[str, Any]]
    summary: dict[str, Any]


def _read(path: Path, channel: str | None) -> tuple[Take, dict[str, Any]]:
    """A take folder, or a bare recording as a take of one node; of a recording also what was chosen
    and what was repaired. Raises SimError."""
    from sim_hardware import recordings, take

    if path.is_dir():
        if channel is not None:
            raise UserError("--channel is for a recording, not for a take folder")
        return take.load(path), {}
    found = recordings.read(path, channel)
    for remark in found.remarks():
        print(f"{path}: {remark}", file=sys.stderr)
    return found.take, {"channel": found.channel, "remarks": found.remarks()}


def replay(
    given: Take,
    *,
    seed: int = 0,
    ambient_nm_s: float = 100.0,
    settings: Mapping[str, int] | None = None,
) -> Replay:
    """Run every node of the take, then step their messages through the gateway's stages. All nodes
    start with these settings."""
    from sim_hardware.virtual import Pace, simulate

    # A root of its own for each seed: nothing here is secret, and one seed gives one result.
    fleet_root = hashlib.sha256(f"groundwatch replay {seed}".encode()).digest()
    pace = Pace(ambient_nm_s=ambient_nm_s)
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as folder:
        work = Path(folder)
        write_site(given.site, work / "site.toml")
        site = load_site(work / "site.toml")
        trees = write_trees(given.site, fleet_root, 1883, work / "trees")
        for tree in trees.values():
            write_settings(tree, settings or {})
        run = simulate(
            given,
            trees,
            micropython=micropython.find(),
            seed=seed,
            pace=pace,
        )
    stages = Stages(site, site_keys(site, fleet_root))
    zero_us = round(given.t0_utc_s * 1e6)
    end_us = zero_us + round((given.duration_s + pace.settle_s) * 1e6)
    outcomes = list(_step(stages, run, zero_us, end_us))
    lines = [line for outcome in outcomes for line in outcome.lines(zero_us)]
    lost = run.made_count - sum(len(outcome.detections) for outcome in outcomes)
    return Replay(lines, _summary(given, stages, run, lines) | {"messages_lost": lost})


def _step(stages: Stages, run: VirtualRun, zero_us: int, end_us: int) -> Iterator[Outcome]:
    tick_us: int | None = None
    for uplink in run.uplinks:
        at_us = zero_us + uplink.t_us
        tick_us = at_us if tick_us is None else tick_us
        while tick_us < at_us:
            yield stages.tick(tick_us)
            tick_us += _TICK_US
        yield stages.uplink(at_us, uplink.topic, uplink.payload)
    # Activities that end with the take are closed.
    for last_us in range(tick_us or end_us, end_us, _TICK_US):
        yield stages.tick(last_us)


def _summary(
    given: Take, stages: Stages, run: VirtualRun, lines: list[dict[str, Any]]
) -> dict[str, Any]:
    alarms = [line for line in lines if line["type"] == "alarm"]
    summary: dict[str, Any] = {
        "type": "summary",
        "duration_s": round(given.duration_s, 3),
        "nodes": len(given.nodes),
        "messages": stages.intake.messages,
        "detections": stages.intake.detections,
        "alarms": len(alarms),
        "duplicates": stages.intake.registry.duplicates,
        "rejected": sum(stages.intake.refused.by_reason().values()),
        "restarts": sum(run.restarts.values()),
    }
    if given.truth is not None and {"actors", "crossings"} <= given.truth.keys():
        from tools.score.crossings import crossing_facts

        points = {node.id: Point(node.x_m, node.y_m) for node in given.nodes}
        summary |= crossing_facts(given.truth, points, alarms, given.duration_s)
    return summary


def replay_command(
    path: Path | None,
    store: Path | str | None,
    config: Path,
    rules: Path | None,
    as_json: bool,
    seed: int,
    ambient_nm_s: float,
    channel: str | None = None,
) -> int:
    """PATH is a take folder, or an .npz, WAV or miniSEED file; the last line is the summary."""
    if store is not None and path is None:
        return replay_store.run(store, config, rules, as_json)
    if path is None or store is not None:
        raise UserError("name either a take, a recording, or a store: --store data/groundwatch.db")
    if not _MIN_AMBIENT_NM_S <= ambient_nm_s <= _MAX_AMBIENT_NM_S:
        raise UserError("--ambient-nm-s must be from 1 to 100000; a quiet field has about 100")
    given, remarks = _read(path, channel)
    waiting = f"{len(given.nodes)} nodes listen to {given.duration_s:.0f} s of ground"
    with Status(waiting, console=Console(stderr=True)):
        result = replay(given, seed=seed, ambient_nm_s=ambient_nm_s)
    printer = LinePrinter(as_json)
    for line in [*result.lines, result.summary | (remarks if as_json else {})]:
        printer.line(line)
    return 0
