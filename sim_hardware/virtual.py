# SPDX-License-Identifier: MIT
"""Board layer, simulated: a take through the real firmware in virtual time, nodes in parallel.

Nodes need no lock-step: each runs at its own speed against its own simulated gateway. Their uplinks
are merged by virtual time. A take and a seed determine every byte of the uplinks.
"""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim_hardware.analogue import FRONT_ENDS, FrontEnd
from sim_hardware.crystal import Crystal
from sim_hardware.errors import SimError
from sim_hardware.fault_tables import faults_of
from sim_hardware.sandbox import (
    EXIT_END,
    EXIT_RESET,
    Faults,
    Made,
    NodeLog,
    Sandbox,
    check_trees,
    make_sandbox,
)
from sim_hardware.signals import (
    AMBIENT_NM_S,
    FEED_FS_HZ,
    Signal,
    quantized,
    quiet_floor,
    quiet_ground,
    to_feed,
)
from sim_hardware.take import Take

_DEFAULT_T0_UTC_S = 1_767_225_600  # 2026-01-01, for takes without a date
_MAX_RESTARTS = 1000
_MIN_WALL_S = 60.0
_NO_FAULTS = Faults()


@dataclass(frozen=True)
class Uplink:
    """A message as it reached the gateway, `t_us` after the take's start (negative: lead-in)."""

    t_us: int
    node: str
    topic: str
    payload: bytes


@dataclass(frozen=True)
class VirtualRun:
    """The result of one run: uplinks in time order; by node its detections, log and restarts."""

    uplinks: list[Uplink]
    made: list[Made]
    logs: dict[str, NodeLog]
    restarts: dict[str, int]
    # by node: the costs charged to each boot; may be empty
    costs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def made_count(self) -> int:
        """Number of detections made, with those that the logs only count."""
        return len(self.made) + sum(log.made_dropped for log in self.logs.values())


@dataclass(frozen=True)
class Pace:
    """How a take is played: `lead_s` of quiet ground before it, `settle_s` after it for the last
    receipts, and a link delay of `way_ms` each way."""

    lead_s: float = 10.0
    settle_s: float = 15.0
    ambient_nm_s: float = AMBIENT_NM_S
    way_ms: int = 20


def run_virtual(
    take: Take, trees: Mapping[str, Path], *, micropython: Path, seed: int = 0
) -> list[Uplink]:
    """The uplinks of a take, merged in time order (see `simulate`)."""
    return simulate(take, trees, micropython=micropython, seed=seed).uplinks


def simulate(
    take: Take,
    trees: Mapping[str, Path],
    *,
    micropython: Path,
    seed: int = 0,
    pace: Pace | None = None,
    faults: Mapping[str, Faults] | None = None,
    workers: int | None = None,
    charges: str = "none",
    analogue: bool = False,
) -> VirtualRun:
    """Run every node of the take to its end.

    `analogue`: the ground passes the geophone and filter of the board (sim_hardware.analogue)
    instead of an ideal one. The Pico W's converter is then read at its own rate, 16 readings for
    a sample, through the node's own filter.

    `charges`: the cost of work, one of sandbox.CHARGES; unless "none", each node has the heap and
    the flash of its board.

    `trees`: by node id a folder that `groundwatch bundle` wrote; it is copied, not changed.
    `faults`: by node id; None applies the faults in the truth of the take. Raises SimError when a
    tree is missing or a node's firmware fails.
    """
    nodes = [node.id for node in take.nodes]
    check_trees(nodes, trees)
    pace = pace or Pace()
    faults = faults_of(take.truth, nodes) if faults is None else faults
    with tempfile.TemporaryDirectory(prefix="groundwatch-") as work:
        sandboxes = [make_sandbox(Path(work), node, trees[node], micropython) for node in nodes]
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            runs = list(
                pool.map(
                    lambda sandbox: _one(
                        sandbox,
                        take,
                        seed,
                        pace,
                        faults.get(sandbox.node, _NO_FAULTS),
                        charges,
                        FRONT_ENDS[sandbox.board] if analogue else None,
                    ),
                    sandboxes,
                )
            )
    uplinks = [uplink for run in runs for uplink in run.uplinks]
    uplinks.sort(key=lambda uplink: (uplink.t_us, uplink.node))
    return VirtualRun(
        uplinks,
        [made for run in runs for made in run.made],
        {name: log for run in runs for name, log in run.logs.items()},
        {name: count for run in runs for name, count in run.restarts.items()},
        {name: boots for run in runs for name, boots in run.costs.items()},
    )


def _one(
    sandbox: Sandbox,
    take: Take,
    seed: int,
    pace: Pace,
    faults: Faults,
    charges: str,
    front_end: FrontEnd | None,
) -> VirtualRun:
    end_s = take.duration_s + pace.settle_s
    if faults.dead_from_s is not None:
        end_s = min(end_s, faults.dead_from_s)
    signal = take.signals[sandbox.node]
    crystal = Crystal(faults.clock_ppm)
    fs_hz = FEED_FS_HZ if front_end is None else front_end.fs_hz
    lead = round(pace.lead_s * fs_hz)
    _write_feed(sandbox.feed, signal, pace, seed, lead, crystal, front_end)
    settings: dict[str, Any] = {
        "mode": "virtual",
        "fs_hz": fs_hz,
        "oversampled": front_end is not None,
        "feed_t0_s": -lead / fs_hz,
        "start_s": -lead / fs_hz,
        "end_s": crystal.shows(end_s),
        "link_delay_ms": pace.way_ms,
        "clock_ppb": round(1000 * faults.clock_ppm),
        "t0_epoch_ms": round((take.t0_utc_s or _DEFAULT_T0_UTC_S) * 1000),
        "pir_edges_s": [crystal.shows(float(t_s)) for t_s in signal.pir_edges_s],
    }
    sandbox.write_settings(settings, seed, crystal.faults(faults), charges)
    log = NodeLog(sandbox.node)
    # Real time is a hundredth of virtual time; a node that needs half of it hangs.
    restarts = _run(sandbox, log, wall_limit_s=_MIN_WALL_S + (end_s + pace.lead_s) / 2)
    return VirtualRun(
        _read_uplinks(sandbox, crystal),
        log.made,
        {sandbox.node: log},
        {sandbox.node: restarts},
        {sandbox.node: _read_costs(sandbox)},
    )


def _write_feed(
    path: Path,
    signal: Signal,
    pace: Pace,
    seed: int,
    lead: int,
    crystal: Crystal,
    front_end: FrontEnd | None,
) -> None:
    velocity = signal.velocity(pace.ambient_nm_s)
    floor_nm_s = 1e9 * quiet_floor(velocity, signal.fs_hz)
    if front_end is None:
        quiet = quiet_ground(lead, floor_nm_s, seed)
        ground = np.concatenate([quiet, to_feed(velocity, signal.fs_hz)])
    else:
        quiet = quiet_ground(lead, floor_nm_s, seed, front_end.fs_hz)
        seen = front_end.pass_on(velocity, signal.fs_hz)
        ground = np.concatenate([quiet, quantized(1e9 * np.asarray(seen, np.float64))])
    crystal.resampled(ground, lead).astype("<i4").tofile(path)


def _run(sandbox: Sandbox, log: NodeLog, wall_limit_s: float) -> int:
    # Starts the node again after each reset until it reaches the end; returns the restarts.
    for restarts in range(_MAX_RESTARTS):
        with subprocess.Popen(
            sandbox.command(),
            cwd=sandbox.tree,
            env=sandbox.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            timer = threading.Timer(wall_limit_s, process.kill)
            timer.start()
            stdout = process.stdout
            assert stdout is not None
            while line := stdout.readline(4096):
                log.add(line.rstrip("\n"))
            code = process.wait()
            timer.cancel()
        if code == EXIT_END:
            return restarts
        if code != EXIT_RESET or log.stops:
            why = f"ended with code {code}" if code >= 0 else "hung and was ended"
            raise SimError(f"node {sandbox.node} {why}: {log.tail()}")
    raise SimError(f"node {sandbox.node} was reset {_MAX_RESTARTS} times: {log.tail()}")


def _read_costs(sandbox: Sandbox) -> list[dict[str, Any]]:
    if not sandbox.costs.exists():
        return []
    return [json.loads(line) for line in sandbox.costs.read_text(encoding="utf-8").splitlines()]


def _read_uplinks(sandbox: Sandbox, crystal: Crystal) -> list[Uplink]:
    if not sandbox.uplinks.exists():
        return []
    uplinks = []
    with sandbox.uplinks.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            uplinks.append(
                Uplink(
                    crystal.true_us(row["t_us"]),
                    sandbox.node,
                    row["topic"],
                    bytes.fromhex(row["payload"]),
                )
            )
    return uplinks
