# SPDX-License-Identifier: MIT
"""Whole nodes whose state folder is damaged at random: they start, and use no counter twice."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import walker

QUIET = walker(6, 0, 0)
STARTED = ("node started", "rescue started")
# With both counters damaged no number is known to be free: the node must not send under its key.
SILENT = "both boot counters are damaged"
COUNTERS = ("boot0", "boot1")


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    part = rng.choice((b"\0", b"\xff", bytes([rng.randrange(256)]))) * rng.randrange(1, 300)
    return data[:at] + part[: len(data) - at] + data[at + len(part) :]


DAMAGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip,
    _overwrite,
    lambda rng, data: data[: rng.randrange(len(data) + 1)],
    lambda rng, data: data + rng.randbytes(rng.randrange(1, 5000)),
    lambda rng, data: rng.randbytes(len(data)),
    lambda _rng, _data: b"",
)


def damage(rng: random.Random, state: Path) -> list[str]:
    """Damage one to four files; a file may vanish, though no counter, or a strange one appear."""
    done = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        path = rng.choice(sorted(path for path in state.iterdir() if path.is_file()))
        way = rng.randrange(len(DAMAGES) + 2)
        if way < len(DAMAGES):
            path.write_bytes(DAMAGES[way](rng, path.read_bytes()))
        elif way == len(DAMAGES) and path.name not in COUNTERS:
            path.unlink()
        else:
            strange = state / rng.choice(("x.seg", "-1.seg", "00000099.seg", "key.new", "4.seg"))
            if rng.random() < 0.2 and not strange.exists():
                strange.mkdir()
            elif not strange.is_dir():
                strange.write_bytes(rng.randbytes(rng.randrange(3000)))
        done.append(f"{way}:{path.name}")
    return done


def _used(raw: bytes) -> dict[str, str]:
    """The sealed messages by their Partial IV, in hexadecimal."""
    rows = [json.loads(line)["payload"] for line in raw.splitlines()]
    # 83 43a1010a a106 <bstr Partial IV> ... : docs/wire.md section 3.
    return {row[14 : 16 + 2 * (int(row[14:16], 16) & 15)]: row for row in rows}


def _survive(
    count: int, seed: int, interpreter: Path, play: Callable[..., Any], folder: Path
) -> None:
    used: dict[str, str] = {}
    for number in range(3):
        used |= _used(play(interpreter, walker(30, 5, 30), name="whole", seed=number).raw)
        (folder / "whole" / "exit.json").unlink()  # the simulated clock starts again
    assert len(used) > 20
    silent = 0
    for trial in range(seed, seed + count):
        rng = random.Random(trial)
        shutil.copytree(folder / "whole", folder / "damaged")
        done = damage(rng, folder / "damaged" / "state")
        run = play(interpreter, QUIET, name="damaged", seed=trial)
        shown = f"seed {trial}: {done}\n" + "\n".join(run.lines[:20])
        if any(SILENT in line for line in run.lines):
            assert {row.split(":")[1] for row in done} >= set(COUNTERS), shown
            assert run.uplinks == [], shown
            silent += 1
        else:
            assert any(line.startswith(STARTED) for line in run.lines), shown
            assert run.uplinks, shown
        for piv, sealed in _used(run.raw).items():
            assert used.get(piv, sealed) == sealed, shown
        shutil.rmtree(folder / "damaged")
    sys.stdout.write(f"\n{count} damaged state folders, {silent} of them without any counter\n")


def test_nodes_with_a_damaged_state_folder_start_and_use_no_counter_twice(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive(30, 1, micropython, play, tmp_path)


@pytest.mark.faults
def test_thousand_nodes_with_a_damaged_state_folder_start_and_use_no_counter_twice(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive(1_000, 1_000, micropython, play, tmp_path)
