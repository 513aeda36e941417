# SPDX-License-Identifier: MIT
"""A day without a gateway: the node's ledger and outbox against the gateway's own sequences."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.intake.authentication.sequence import DurableSequence
from gateway.wire import codec
from gateway.wire.messages import Condition, ConditionKind, Detection
from tests.on_node import FIRMWARE

OUTAGE = Path(__file__).parent / "on_node" / "outage.py"
CAPACITY = 1036  # detections, docs/operations.md
REPORTS = 12  # of one walk


@dataclass
class Day:
    """Messages of a node in an outage, and those that the gateway received, in order."""

    made: list[tuple[int, int]] = field(default_factory=list)
    got: list[tuple[int, int, Any]] = field(default_factory=list)
    copies: int = 0  # of detections
    round_trips: int = 0
    pending: int = 0

    def detections(self) -> list[tuple[int, int]]:
        return [(boot, seq) for boot, seq, message in self.got if isinstance(message, Detection)]


def _spend(interpreter: Path, folder: Path, hours: int, walks: int, loses: Callable[[int], bool]):
    """Play the outage, then answer each pause of the node with cumulative receipts."""
    day, sent = Day(), 0
    sequences: dict[int, DurableSequence] = defaultdict(DurableSequence)
    process = subprocess.Popen(
        [interpreter, "-X", "heapsize=300k", OUTAGE, folder, str(hours), str(walks)],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:.frozen"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdin
    assert process.stdout
    for line in process.stdout:
        word, *rest = line.split()
        if word == "made":
            day.made.append((int(rest[0]), int(rest[1])))
        elif word == "link":
            day.pending = int(rest[0])
        elif word == "hello":
            sequences[int(rest[0])].give_up(int(rest[1]) - 1)
        elif word == "up":
            sent += 1
            boot, seq = int(rest[0]), int(rest[1])
            if loses(sent):
                continue
            message = codec.decode(bytes.fromhex(rest[2]))
            if sequences[boot].see(seq):
                day.got.append((boot, seq, message))
                if getattr(message, "kind", None) is ConditionKind.RECORDS_DROPPED:
                    sequences[message.boot].give_up(message.value)
            else:
                day.copies += isinstance(message, Detection)
        elif word == "wait":
            if rest[0] == "0":
                process.stdin.close()
                break
            day.round_trips += 1
            assert day.round_trips < 5_000
            receipts = [f"{boot} {known.upto}" for boot, known in sequences.items() if known.upto]
            process.stdin.write((" ".join(receipts[-8:]) or "none") + "\n")
            process.stdin.flush()
    assert process.wait(10) == 0
    return day


@pytest.mark.parametrize("name", ["a good link", "a link that loses every seventh message"])
def test_outage_of_a_day_with_a_chattering_tamper_switch_loses_no_detection(
    name: str, micropython_i386: Path, tmp_path: Path
):
    walks = CAPACITY // REPORTS
    is_lossy = "loses" in name
    day = _spend(micropython_i386, tmp_path, 24, walks, lambda sent: is_lossy and sent % 7 == 0)
    assert len(day.made) == walks * REPORTS
    assert sorted(day.detections()) == sorted(day.made)
    if not is_lossy:
        assert day.copies == 0
    day.got.sort(key=lambda row: row[:2])
    tampers = [m for *_id, m in day.got if getattr(m, "kind", None) is ConditionKind.TAMPER]
    # Eight with their times over both boots, then the newest level and how many changes there were.
    assert len(tampers) == 9
    assert tampers[-1].value is not None
    assert tampers[-1].value > 2_000


def test_outage_in_which_the_ledger_overflows_drops_the_oldest_detections_only(
    micropython_i386: Path, tmp_path: Path
):
    day = _spend(micropython_i386, tmp_path, 24, 150, lambda _sent: False)
    assert len(day.made) == 150 * REPORTS
    got = sorted(day.detections())
    assert len(got) >= CAPACITY
    assert got == day.made[-len(got) :]
    assert day.copies == 0


def test_newest_detection_after_an_outage_arrives_before_the_backlog(
    micropython_i386: Path, tmp_path: Path
):
    day = _spend(micropython_i386, tmp_path, 24, CAPACITY // REPORTS, lambda _sent: False)
    first = [(boot, seq) for boot, seq, _message in day.got[:8]]
    assert day.pending >= 1000
    assert first == day.made[-8:]
    kinds = {type(message) for *_id, message in day.got}
    assert kinds == {Detection, Condition}
