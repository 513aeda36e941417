# SPDX-License-Identifier: MIT
"""Power cuts: at every flash operation of littlefs, at every byte of a file, at any moment."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

from tests.on_node import FIRMWARE, run_on_node

ON_NODE = Path(__file__).parent / "on_node"
STATE = ON_NODE / "state.py"


def boot_and_held(interpreter: Path, folder: Path) -> tuple[int, set[tuple[int, int]]]:
    """Boot once on `folder`: the new boot number, and every stored message."""
    lines = run_on_node(interpreter, STATE, "show", str(folder))
    held = {(int(b), int(s)) for word, b, s in (ln.split() for ln in lines[1:]) if word == "held"}
    return int(lines[0].split()[1]), held


def test_littlefs_with_power_cut_at_any_operation_keeps_counters_and_records(micropython: Path):
    # The interpreter itself complains of files left open by the cut; the last line is ours.
    *_, line = run_on_node(micropython, ON_NODE / "power_cut.py", "0", "2", heap="8m")
    assert int(line.removeprefix("cuts ")) >= 100


def test_littlefs_on_32_bits_with_power_cuts_keeps_counters_and_records(micropython_i386: Path):
    *_, line = run_on_node(micropython_i386, ON_NODE / "power_cut.py", "1", "6", heap="8m")
    assert int(line.removeprefix("cuts ")) >= 30


def test_newest_segment_cut_at_every_byte_loses_only_the_torn_record(
    micropython: Path, tmp_path: Path
):
    whole = tmp_path / "whole"
    run_on_node(micropython, STATE, "make", str(whole), "4")
    segment = next(whole.glob("*.seg"))
    data = segment.read_bytes()
    record_bytes = len(data) // 4
    for size in range(len(data)):
        folder = tmp_path / "cut"
        shutil.copytree(whole, folder)
        (tmp_path / "starts").unlink(missing_ok=True)  # the copy of the counters, of another run
        (folder / segment.name).write_bytes(data[:size])
        boot, held = boot_and_held(micropython, folder)
        assert boot == 2
        assert held == {(1, seq) for seq in range(1, size // record_bytes + 1)}, size
        shutil.rmtree(folder)


def test_newest_segment_with_any_byte_changed_loses_that_record_alone(
    micropython: Path, tmp_path: Path
):
    whole = tmp_path / "whole"
    run_on_node(micropython, STATE, "make", str(whole), "4")
    segment = next(whole.glob("*.seg"))
    data = segment.read_bytes()
    record_bytes = len(data) // 4
    for at in range(len(data)):
        folder = tmp_path / "flipped"
        shutil.copytree(whole, folder)
        (folder / segment.name).write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        _boot, held = boot_and_held(micropython, folder)
        assert held == {(1, seq) for seq in range(1, 5) if seq != at // record_bytes + 1}, at
        shutil.rmtree(folder)


def test_boot_counter_cut_at_every_byte_never_repeats_a_number(micropython: Path, tmp_path: Path):
    whole = tmp_path / "whole"
    for _ in range(3):
        run_on_node(micropython, STATE, "make", str(whole), "0")
    for name in ("boot0", "boot1"):
        data = (whole / name).read_bytes()
        for size in range(len(data)):
            folder = tmp_path / "cut"
            shutil.copytree(whole, folder)
            (folder / name).write_bytes(data[:size])
            boot, _held = boot_and_held(micropython, folder)
            assert boot > 3, (name, size)
            boot_after, _held = boot_and_held(micropython, folder)
            assert boot_after > boot
            shutil.rmtree(folder)


def test_writer_killed_at_any_moment_loses_nothing_it_had_kept(micropython: Path, tmp_path: Path):
    rng = random.Random(20)
    folder = tmp_path / "state"
    kept: set[tuple[int, int]] = set()
    received: set[tuple[int, int]] = set()
    boots: list[int] = []
    for round_number in range(60):
        if round_number >= 12 and len(kept) > 200:
            break
        log = tmp_path / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [micropython, STATE, "write", folder],
                stdout=out,
                env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
            )
            time.sleep(0.03 + 0.05 * rng.random())
            process.kill()
            process.wait()
        for line in log.read_text().splitlines(keepends=True):
            word, *numbers = line.split()
            if not line.endswith("\n"):
                continue
            if word == "boot":
                boots.append(int(numbers[0]))
            elif word == "kept":
                kept.add((int(numbers[0]), int(numbers[1])))
            else:
                boot, upto = int(numbers[0]), int(numbers[1])
                received |= {(boot, seq) for seq in range(1, upto + 1)}
    boot, held = boot_and_held(micropython, folder)
    assert boots == sorted(set(boots))
    assert boot > boots[-1]
    assert kept - received <= held
    assert len(kept) > 200
