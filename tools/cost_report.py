# SPDX-License-Identifier: MIT
"""Cost report: what the firmware loses where flash, collections, imports and look-ups take time.

    python -m tools.cost_report [--charges worst] [--board esp32]

Nodes run in virtual time on 32-bit MicroPython with the heap, the flash and the front end of their
board: a Pico W reads its converter by DMA, an ESP32 each conversion in an interrupt.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway import keys
from sim_hardware.errors import SimError
from sim_hardware.sandbox import CHARGES, Faults
from sim_hardware.take import Take
from sim_hardware.virtual import VirtualRun, simulate
from sim_hardware.world import World, parse
from tools.bench.node_run import missed
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.image import boards
from tools.micropython import find

_NODE = "n01"
_ROOT = bytes(32)
_SECONDS = 180.0
_WALK = """
[site]
name = "costs"
[line]
nodes = 1
spacing_m = 25
[[actor]]
id = "w"
kind = "walker"
path = [[5, -40], [5, 40]]
start_s = 90
heel = 0.2
"""
# Five times 0.5 s without power, with 2 s between: a loose connector.
_FLICKER = tuple((20 + 2.5 * i, 20.5 + 2.5 * i) for i in range(5))
# A switch that opens or closes each second: each change is a record on flash.
_CHATTER = tuple(float(t_s) for t_s in range(30, 170))
CASES = {
    "walk": ("127.0.0.1", Faults()),
    "walk, ledger written": (
        "127.0.0.1",
        Faults(tamper_edges_s=_CHATTER, outages_s=((20.0, 170.0),)),
    ),
    "walk, no network": ("127.0.0.1", Faults(outages_s=((20.0, 150.0),))),
    "walk, DNS away": ("broker.field", Faults(dns_away_s=((-20.0, 200.0),))),
    "five power flickers, walk": ("127.0.0.1", Faults(power_off_s=_FLICKER)),
}
COLUMNS = (
    "case",
    "starts",
    "longest unfed s",
    "samples missed",
    "interrupts lost",
    "collection ms",
    "erases",
    "detections",
    "ends as",
)


@dataclass(frozen=True)
class Row:
    """What one case cost. `missed` counts the node itself: samples that have no reading; None where
    it never was on the network, since heartbeats carry this count.

    An interrupt is lost when another one of its kind still waits: on an ESP32 a conversion.
    """

    case: str
    starts: int
    unfed_s: float
    missed: int | None
    interrupts_lost: int
    collection_ms: float
    erases: int
    detections: int
    ends_as: str

    def cells(self) -> list[str]:
        """The row as COLUMNS names it."""
        values = vars(self).values()
        return [
            "-" if v is None else f"{v:.1f}" if isinstance(v, float) else str(v) for v in values
        ]


def take() -> Take:
    """One node and a walker who passes it after 90 s."""
    return World(parse(_WALK), 2).take(_SECONDS)


def measure(
    case: str, given: Take, board: str, charges: str, micropython: Path, folder: Path
) -> Row:
    """Run one case. A node that cannot start has its reason in `ends_as`."""
    host, faults = CASES[case]
    write_tree(_config(board, host), folder, mpy_of_interpreter(micropython))
    try:
        run = simulate(
            given,
            {_NODE: folder},
            micropython=micropython,
            seed=1,
            faults={_NODE: faults},
            charges=charges,
            analogue=True,
        )
    except SimError as error:
        return Row(case, 0, 0.0, 0, 0, 0.0, 0, 0, str(error).rsplit(" | ", 1)[-1])
    return _row(case, run)


def _row(case: str, run: VirtualRun) -> Row:
    boots = run.costs[_NODE]
    lines = list(run.logs[_NODE].lines)

    def total(name: str) -> int:
        return sum(boot[name] for boot in boots)

    return Row(
        case,
        len(boots),
        max(boot["unfed_us_max"] for boot in boots) / 1e6,
        missed(lines) if any(line.startswith("sampling ") for line in lines) else None,
        total("timer_lost"),
        total("collect_us") / max(1, total("collections")) / 1e3,
        total("erases"),
        run.made_count,
        _end(lines),
    )


def _end(lines: list[str]) -> str:
    """What runs at the end, and whether one of its tasks failed on the way."""
    starts = [line.split()[0] for line in lines if " started node=" in line]
    failed = sum(line.startswith("task failed") for line in lines)
    end = starts[-1] if starts else "nothing"
    return f"{end}, {failed} tasks failed" if failed else end


def _config(board: str, host: str) -> NodeConfig:
    return NodeConfig(
        site="costs",
        node=_NODE,
        board=board,
        key=keys.node_key(_ROOT, "costs", _NODE),
        ssid="groundwatch-sim",
        passphrase="not a secret",
        host=host,
        port=1883,
        x_m=0.0,
        y_m=0.0,
    )


def report(board: str, charges: str) -> list[Row]:
    """All cases of one board."""
    given, micropython = take(), find("i386")
    with tempfile.TemporaryDirectory() as work:
        return [
            measure(case, given, board, charges, micropython, Path(work) / str(number))
            for number, case in enumerate(CASES)
        ]


def main(arguments: Any = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(prog="python -m tools.cost_report", description=__doc__)
    parser.add_argument("--board", choices=boards(), default="pico_w")
    parser.add_argument("--charges", choices=CHARGES[1:], default="typical")
    args = parser.parse_args(arguments)
    table = Table(*COLUMNS, title=f"{args.board}, {args.charges} costs")
    for row in report(args.board, args.charges):
        table.add_row(*row.cells())
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
