# SPDX-License-Identifier: MIT
"""Whole nodes whose flash is damaged at random: they start, and use no counter twice."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import config, unseal, walker
from tools.bundle import copy_of, write_tree
from tools.compiled import mpy_of_interpreter

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"
QUIET = walker(6, 0, 0)
STARTED = "node started"
# On the flash beside the state: two trees of which one may be damaged, what chooses between them,
# the last failure, what a start needs beside the trees, and the copy of it. Not boot.py, of which
# MicroPython runs one.
TREES = ("a.fw", "safe_mode.fw")
COPIED = {"main.py", "guard.mpy", "inplace.mpy", "package.mpy", "slots.mpy"}
COPY, NODE_COPY = "root.copy", "node.copy"
ROOT = sorted(COPIED | {COPY, "b.fw", "slot0", "slot1", "failure", "starts"})
COUNTERS = {"boot0", "boot1", "starts"}


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
    """Damage one to four files; a file may vanish, or a strange one appear. Only the record of the
    key and all counters together are never gone: that is a flash that was wiped."""
    done: list[str] = []
    hit: set[str] = set()
    for _ in range(rng.choice((1, 1, 2, 4))):
        files = [path for path in state.iterdir() if path.is_file()]
        copy = state.parent / "starts"
        path = rng.choice(sorted([*files, copy] if copy.exists() else files))
        way = rng.randrange(len(DAMAGES) + 2)
        rest = {path.name} | hit
        if way < len(DAMAGES):
            path.write_bytes(DAMAGES[way](rng, path.read_bytes()))
        elif way == len(DAMAGES) and not (rest & COUNTERS and "key" in rest):
            path.unlink()
        else:
            strange = state / rng.choice(("x.seg", "-1.seg", "00000099.seg", "key.new", "4.seg"))
            if rng.random() < 0.2 and not strange.exists():
                strange.mkdir()
            elif not strange.is_dir():
                strange.write_bytes(rng.randbytes(rng.randrange(3000)))
            done.append(f"{way}:{strange.name}")
            continue
        hit.add(path.name)
        done.append(f"{way}:{path.name}")
    return done


def _copies(count: int, seed: int, folder: Path) -> Iterator[tuple[int, random.Random, Path]]:
    """For each seed a copy of the whole node to damage, gone when the next one is asked for."""
    for trial in range(seed, seed + count):
        shutil.copytree(folder / "whole", folder / "damaged")
        yield trial, random.Random(trial), folder / "damaged"
        shutil.rmtree(folder / "damaged")


def _used(raw: bytes) -> dict[tuple[int, bytes], bytes]:
    """The sealed messages by key epoch and Partial IV."""
    sealed = [bytes.fromhex(json.loads(line)["payload"]) for line in raw.splitlines()]
    return {unseal(data)[:2]: data for data in sealed}


def _survive(
    count: int, seed: int, interpreter: Path, play: Callable[..., Any], folder: Path
) -> None:
    used: dict[tuple[int, bytes], bytes] = {}
    for number in range(3):
        used |= _used(play(interpreter, walker(30, 5, 30), name="whole", seed=number).raw)
        (folder / "whole" / "exit.json").unlink()  # the simulated clock starts again
    assert len(used) > 20
    ahead = 0
    for trial, rng, copy in _copies(count, seed, folder):
        done = damage(rng, copy / "state")
        run = play(interpreter, QUIET, name="damaged", seed=trial, timeout_s=300)
        shown = f"seed {trial}: {done}\n" + "\n".join(run.lines[:20])
        assert any(line.startswith(STARTED) for line in run.lines), shown
        assert run.uplinks, shown
        for counter, sealed in _used(run.raw).items():
            assert used.get(counter, sealed) == sealed, shown
        ahead += any(line.startswith("key rotated") for line in run.lines)
    sys.stdout.write(
        f"\n{count} damaged state folders, seeds {seed} to {seed + count - 1}; all counters were"
        f" lost in {ahead}, which took a step of the key\n"
    )


def test_nodes_with_a_damaged_state_folder_start_and_use_no_counter_twice(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive(30, 1, micropython, play, tmp_path)


@pytest.mark.faults
def test_thousand_nodes_with_a_damaged_state_folder_start_and_use_no_counter_twice(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive(1_000, 1_000, micropython, play, tmp_path)


def _survive_damaged_trees(
    count: int, seed: int, interpreter: Path, play: Callable[..., Any], folder: Path
) -> None:
    play(interpreter, QUIET, name="whole")
    (folder / "whole" / "exit.json").unlink()
    ends = {"the node": 0, "safe mode": 0}
    for trial, rng, copy in _copies(count, seed, folder):
        hit = {rng.choice(TREES), *rng.choices(ROOT, k=rng.choice((0, 1, 2, 4)))}
        if COPY in hit:
            hit -= COPIED
        for name in sorted(hit):
            path = copy / name
            data = path.read_bytes() if path.exists() else b""
            path.write_bytes(rng.choice(DAMAGES)(rng, data))
        run = play(interpreter, walker(240, 0, 0), name="damaged", seed=trial, timeout_s=300)
        shown = f"seed {trial}: {sorted(hit)}\n" + "\n".join(run.lines[:40])
        images = [hello.fw for hello in run.messages("Hello")]
        assert images, shown
        ends["safe mode" if images[-1].startswith("safe-") else "the node"] += 1
    sys.stdout.write(f"\n{count} damaged trees, seeds {seed} to {seed + count - 1}: {ends}\n")


def test_nodes_with_a_damaged_tree_reach_the_other_one(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive_damaged_trees(4, 1, micropython, play, tmp_path)


@pytest.mark.faults
def test_two_hundred_nodes_with_a_damaged_tree_reach_the_other_one(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    _survive_damaged_trees(200, 1_000, micropython, play, tmp_path)


@pytest.mark.parametrize("name", sorted(COPIED))
def test_file_beside_the_trees_that_is_damaged_is_replaced_at_the_next_start(
    name: str, micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, QUIET)
    (tmp_path / "n07" / "exit.json").unlink()
    path = tmp_path / "n07" / name
    whole = path.read_bytes()
    path.write_bytes(_flip(random.Random(1), whole))
    run = play(micropython, QUIET)
    assert f"replaced damaged file={name}" in run.lines
    assert path.read_bytes() == whole
    assert any(line.startswith(STARTED) for line in run.lines)


def _settled(micropython: Path, play: Callable[..., Any], tree: Path) -> bytes:
    """A node whose key has gone on: node.json holds none, and has a copy. Returns node.json."""
    play(micropython, QUIET)
    assert (tree / NODE_COPY).read_bytes() == b""  # a copy of the key would have to be scrubbed too
    settings = json.loads((tree / "node.json").read_text())
    del settings["key"]
    whole = json.dumps(settings).encode()
    (tree / "node.json").write_bytes(whole)
    (tree / NODE_COPY).write_bytes(copy_of({"node.json": whole}))
    (tree / "exit.json").unlink()
    return whole


@pytest.mark.parametrize("way", range(len(DAMAGES)))
def test_settings_that_are_damaged_are_replaced_at_the_next_start(
    way: int, micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    whole = _settled(micropython, play, tmp_path / "n07")
    path = tmp_path / "n07" / "node.json"
    path.write_bytes(DAMAGES[way](random.Random(1), whole))
    run = play(micropython, QUIET)
    assert "replaced damaged file=node.json" in run.lines
    assert path.read_bytes() == whole
    assert any(line.startswith(STARTED) for line in run.lines)


def test_settings_that_are_gone_are_replaced_at_the_next_start(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    whole = _settled(micropython, play, tmp_path / "n07")
    (tmp_path / "n07" / "node.json").unlink()
    assert any(line.startswith(STARTED) for line in play(micropython, QUIET).lines)
    assert (tmp_path / "n07" / "node.json").read_bytes() == whole


def test_copy_of_the_settings_that_is_damaged_replaces_nothing(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    whole = _settled(micropython, play, tmp_path / "n07")
    copy = (tmp_path / "n07" / NODE_COPY).read_bytes()
    for seed in range(10):
        damaged = random.Random(seed).choice(DAMAGES)(random.Random(seed), copy)
        (tmp_path / "n07" / NODE_COPY).write_bytes(damaged)
        run = play(micropython, QUIET, seed=seed)
        assert not [line for line in run.lines if line.startswith("replaced ")], seed
        assert (tmp_path / "n07" / "node.json").read_bytes() == whole, seed
        (tmp_path / "n07" / "exit.json").unlink()


def test_copy_that_is_damaged_replaces_nothing(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, QUIET)
    files = {name: (tmp_path / "n07" / name).read_bytes() for name in COPIED}
    whole = (tmp_path / "n07" / COPY).read_bytes()
    for seed in range(20):
        (tmp_path / "n07" / "exit.json").unlink()
        rng = random.Random(seed)
        (tmp_path / "n07" / COPY).write_bytes(rng.choice(DAMAGES)(rng, whole))
        run = play(micropython, QUIET, seed=seed)
        assert not [line for line in run.lines if line.startswith("replaced ")], seed
        assert {name: (tmp_path / "n07" / name).read_bytes() for name in COPIED} == files, seed
        assert any(line.startswith(STARTED) for line in run.lines), seed


def test_board_that_is_being_flashed_replaces_nothing(micropython: Path, tmp_path: Path):
    write_tree(config("pico_w"), tmp_path, mpy_of_interpreter(micropython))
    (tmp_path / "package.mpy").write_bytes(b"newer")
    (tmp_path / "main.py").rename(tmp_path / "main.held")
    boot = [micropython, "boot.py"]
    assert subprocess.run(boot, cwd=tmp_path, capture_output=True, check=True).stdout == b""
    assert (tmp_path / "package.mpy").read_bytes() == b"newer"
    (tmp_path / "main.held").rename(tmp_path / "main.py")
    assert (
        b"file=package.mpy"
        in subprocess.run(boot, cwd=tmp_path, capture_output=True, check=True).stdout
    )
