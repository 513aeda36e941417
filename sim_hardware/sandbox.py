# SPDX-License-Identifier: MIT
"""Board layer, simulated: the working folder, settings, process and log of one node."""

import json
import os
import re
import shutil
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from sim_hardware.errors import SimError

SHIMS = Path(__file__).resolve().parent / "shims"
# Exit codes of run_node.py in the shims.
EXIT_END, EXIT_CRASH, EXIT_USAGE, EXIT_RESET = 0, 1, 2, 3
_LOG_LINES = 400
_MADE_MAX = 200_000
_LINE_CHARS = 500
_NODE_JSON_BYTES = 8192
_MADE = re.compile(
    r"detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=(onset|update|end) class=([a-z]+)"
    r" confidence_pct=(\d+) peak_um_s_x100=(\d+)"
)

Intervals = tuple[tuple[float, float], ...]
# The fields of Faults that are Intervals; the settings of the shims have the same names.
INTERVALS = (
    "outages_s",
    "power_off_s",
    "wrong_passphrase_s",
    "dhcp_away_s",
    "dns_away_s",
    "dead_radio_s",
    "half_open_s",
    "low_memory_s",
)
# Cost of work on a node: none, typical or worst figures (sim_hardware/shims/simcosts.py).
CHARGES = ("none", "typical", "worst")


def node_seed(seed: int, node: str) -> int:
    """The seed of one node, from the seed of the fleet; 30 bits fit a 32-bit build."""
    return crc32(f"{seed}/{node}".encode()) & 0x3FFFFFFF


@dataclass(frozen=True)
class Faults:
    """The faults of one node. Times in seconds of the take, (from, to) pairs in rising order.

    `battery_curve`: (time, mV) points in rising order, interpolated linearly; without any
    the battery stays at `battery_mv`. `battery_mohm`: its inner resistance; the board resets
    (brown-out) when the radio's current pulls the supply too low. `geophone_faults`: (time, kind)
    pairs, kinds as in parts/geophone_line.py. `flash_cuts_s`: power fails in the first erase or
    program after each. `low_memory_s`: hardly any heap is free. In virtual time only: `loss_pct`,
    the share of uplinks whose connection breaks; `clock_ppm`, the frequency error of the crystal;
    `dead_radio_s` (joined, but no data passes until the radio restarts); `half_open_s` (connections
    open at that time carry no more data).
    """

    outages_s: Intervals = ()
    tamper_edges_s: tuple[float, ...] = ()
    battery_mv: int = 3900
    loss_pct: int = 0
    dead_from_s: float | None = None
    battery_curve: tuple[tuple[float, float], ...] = ()
    clock_ppm: float = 0.0
    geophone_faults: tuple[tuple[float, str], ...] = ()
    battery_mohm: int = 0
    power_off_s: Intervals = ()
    wrong_passphrase_s: Intervals = ()
    dhcp_away_s: Intervals = ()
    dns_away_s: Intervals = ()
    dead_radio_s: Intervals = ()
    half_open_s: Intervals = ()
    low_memory_s: Intervals = ()
    flash_cuts_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class Made:
    """A detection in the ledger of a node, as its log reports it: the reference for counts."""

    node: str
    boot: int
    seq: int
    onset_ms: int
    phase: str
    class_name: str
    confidence_pct: int
    peak_um_s_x100: int


@dataclass
class NodeLog:
    """The last lines of a node and the detections in them, both bounded. `made_dropped` counts the
    detections beyond the bound."""

    node: str
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    made: list[Made] = field(default_factory=list)
    made_dropped: int = 0
    stops: int = 0  # how often main.py ended because of an error

    def add(self, line: str) -> None:
        """Add one line that the node printed."""
        self.lines.append(line[:_LINE_CHARS])
        if line.startswith("node stops "):
            self.stops += 1
        match = _MADE.fullmatch(line)
        if match is None:
            return
        if len(self.made) >= _MADE_MAX:
            self.made_dropped += 1
            return
        boot, seq, onset, phase, class_name, confidence, peak = match.groups()
        self.made.append(
            Made(
                self.node,
                int(boot),
                int(seq),
                int(onset),
                phase,
                class_name,
                int(confidence),
                int(peak),
            )
        )

    def tail(self) -> str:
        """The last lines, joined to one, for an error message."""
        return " | ".join(list(self.lines)[-4:]) or "it printed nothing"


@dataclass(frozen=True)
class Sandbox:
    """The folder of one simulated node: its tree or a copy of it, its feed and its settings."""

    node: str
    board: str
    folder: Path
    micropython: Path

    @property
    def tree(self) -> Path:
        """The node's filesystem; the process runs in it."""
        return self.folder / "tree"

    @property
    def feed(self) -> Path:
        """Ground velocity, int32 nm/s."""
        return self.folder / "feed.i32"

    @property
    def pir_edges(self) -> Path:
        """PIR edges that are still being added, int64 microseconds."""
        return self.folder / "pir.i64"

    @property
    def uplinks(self) -> Path:
        """JSON lines of the messages that the node sent, in virtual time."""
        return self.folder / "uplinks.jsonl"

    @property
    def costs(self) -> Path:
        """JSON lines: the costs charged to each boot."""
        return self.folder / "costs.jsonl"

    def write_settings(
        self, settings: Mapping[str, Any], seed: int, faults: Faults, charges: str = "none"
    ) -> None:
        """Write sim.json for the shims (sim_hardware/shims/simsettings.py)."""
        table: dict[str, Any] = {
            "board": self.board,
            "feed": str(self.feed),
            "exit": str(self.folder / "exit.json"),
            "uplinks": str(self.uplinks),
            "seed": node_seed(seed, self.node),
            **{name: [list(pair) for pair in getattr(faults, name)] for name in INTERVALS},
            "tamper_edges_s": list(faults.tamper_edges_s),
            "flash_cuts_s": list(faults.flash_cuts_s),
            "battery_mv": faults.battery_mv,
            "battery_curve": [list(pair) for pair in faults.battery_curve],
            "battery_mohm": faults.battery_mohm,
            "geophone_faults": [list(pair) for pair in faults.geophone_faults],
            "loss_pct": faults.loss_pct,
            **settings,
        }
        if charges != "none":
            table |= {
                "charges": charges,
                "flash": str(self.folder / "flash.img"),
                "board_heap": True,
                "costs": str(self.costs),
            }
        (self.folder / "sim.json").write_text(json.dumps(table))

    def command(self) -> list[str]:
        """The process: MicroPython on the shims' run_node.py."""
        return [str(self.micropython), str(SHIMS / "run_node.py")]

    def environment(self) -> dict[str, str]:
        """The whole environment of the process; `.frozen` is the path of asyncio."""
        return {
            "GROUNDWATCH_SIM": str(self.folder / "sim.json"),
            "MICROPYPATH": f"{SHIMS}:.frozen",
            "PATH": os.environ.get("PATH", os.defpath),
        }


def make_sandbox(
    work: Path, node: str, tree: Path, micropython: Path, in_place: bool = False
) -> Sandbox:
    """Make the folder of a node with a copy of the tree that `groundwatch bundle` wrote; `in_place`
    links the tree instead. Raises SimError."""
    if not micropython.is_file():
        raise SimError(f"{micropython}: no MicroPython there; run make setup")
    try:
        text = (tree / "node.json").read_bytes()[:_NODE_JSON_BYTES]
        config = json.loads(text)
        named, board = config["node"], config["board"]
    except (OSError, ValueError, KeyError, TypeError):
        raise SimError(f"{tree}: no node tree; write it with groundwatch bundle") from None
    if named != node:
        raise SimError(f"{tree}: belongs to node {named}, not {node}")
    folder = work / node
    if folder.exists():
        raise SimError(f"{folder}: exists already; give an empty work folder")
    if in_place:
        folder.mkdir(parents=True)
        (folder / "tree").symlink_to(tree.resolve(), target_is_directory=True)
    else:
        shutil.copytree(tree, folder / "tree")
    return Sandbox(node, str(board), folder, micropython)


def check_trees(nodes: list[str], trees: Mapping[str, Path]) -> None:
    """Raise SimError unless there is a tree for each node."""
    for node in nodes:
        if node not in trees:
            raise SimError(f"no tree for node {node}; bundle one for each node of the take")
