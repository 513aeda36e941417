# SPDX-License-Identifier: MIT
"""What a boot may find on the flash of a node: bundles in the states that years leave them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.updates import package
from tests.node.conftest import config
from tests.on_node import run_on_node
from tests.trees import files_of, head_of
from tools.bundle import NodeConfig, write_tree

DETECTION = {
    "t_ms": 4_000_000_000,
    "phase": 2,
    "class": 1,
    "confidence_pct": 90,
    "peak_um_s_x100": 2_100,
    "cadence_hz_x20": 36,
    "pir_count": 2,
    "elapsed_s_x10": 55,
}
# More messages than the ledger keeps: each of its segments is full.
FILL = f"""
from ugs.ledger.journal import Journal
journal = Journal("state")
journal.open()
while not journal.ledger.take_dropped():
    for number in range(64):
        journal.record("detection", {DETECTION!r})
print(journal.ledger.pending())
"""
TRIAL = """
import sys
sys.path.insert(0, "")
from slots import Slots
record = Slots()
record.open_spare()
record.start_trial(2_000, 7)
print("on trial")
"""


def _run(tree: Path, interpreter: Path, text: str) -> str:
    script = tree.parent / "prepare.py"
    script.write_text(text)
    (line,) = run_on_node(interpreter, script, cwd=tree)
    return line


def fill_ledger(tree: Path, interpreter: Path) -> None:
    """The gateway has been away for long."""
    assert int(_run(tree, interpreter, FILL)) >= 1_000


def put_on_trial(tree: Path, interpreter: Path) -> None:
    """An update is whole in the other tree, and the next boot tries it."""
    (tree / "b.fw").write_bytes((tree / "a.fw").read_bytes())
    assert _run(tree, interpreter, TRIAL) == "on trial"


def lose_spare(tree: Path, interpreter: Path) -> None:
    """The tree on trial is gone."""
    put_on_trial(tree, interpreter)
    (tree / "b.fw").unlink()


def damage(tree: Path, _interpreter: Path) -> None:
    """The last third of the tree in use is erased flash, and there is no other one."""
    data = bytearray((tree / "a.fw").read_bytes())
    data[len(data) * 2 // 3 :] = b"\xff" * (len(data) - len(data) * 2 // 3)
    (tree / "a.fw").write_bytes(data)


def exchange(tree: Path, _interpreter: Path) -> None:
    """The image in use is for another processor, and its header states so."""
    files = files_of(tree / "a.fw")
    mpy = int(head_of(tree / "a.fw")[3].split()[1]) ^ 4 << 10
    (tree / "a.fw").write_bytes(package.unsigned("pico_w", "0.1.0", mpy, files))


def fill_all(tree: Path, interpreter: Path) -> None:
    """Full ledger, and an update on trial."""
    fill_ledger(tree, interpreter)
    put_on_trial(tree, interpreter)


STATES: dict[str, Callable[[Path, Path], None]] = {
    "fresh": lambda _tree, _interpreter: None,
    "full ledger": fill_ledger,
    "update on trial, full ledger": fill_all,
    "tree on trial is gone": lose_spare,
    "tree in use is damaged, no other": damage,
    "tree in use is for another processor": exchange,
}


def make_state(
    state: str, tree: Path, interpreter: Path, mpy: int, node: NodeConfig | None = None
) -> None:
    """Bundle a node for the MicroPython `mpy` into `tree` and bring it into a state."""
    write_tree(node or config("pico_w"), tree, mpy)
    STATES[state](tree, interpreter)
