# SPDX-License-Identifier: MIT
"""A whole node that goes through key epochs, a few seconds each, in front of a whole gateway."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from gateway.model.alarm import AlarmKind
from tests.node.conftest import walker
from tests.node.yard import Yard, printed, until
from tests.trees import patch
from tools.bundle import copy_of


def hasten(tree: Path) -> None:
    """A day is four seconds, and this board has two free blocks."""
    for name, old, new in (
        ("ugs/ratchet.py", "_PERIOD_MS = const(86_400_000)", "_PERIOD_MS = const(4_000)"),
        ("ugs/ratchet.py", "_BLOCKS_MAX = const(1000)", "_BLOCKS_MAX = const(1)"),
        ("ugs/ratchet.py", "_LOG_TURNS = const(64)", "_LOG_TURNS = const(1)"),
        ("ugs/remote/settings.py", '"heartbeat_s", 30, 3_600, 60', '"heartbeat_s", 1, 3_600, 1'),
        ("ugs/node.py", "_SCRUB_EVERY_S = const(6)", "_SCRUB_EVERY_S = const(1)"),
    ):
        assert old in patch(tree, name, lambda text, old=old, new=new: text.replace(old, new))


LINKS = [
    pytest.param("wifi", marks=pytest.mark.long),
    pytest.param("serial", marks=pytest.mark.slow),
    pytest.param("burst", marks=pytest.mark.long),
]


def epoch_of(lines: list[str]) -> int:
    """The last epoch that its log lines report."""
    return max((int(x.split("=")[1]) for x in lines if x.startswith("key rotated ")), default=0)


@pytest.mark.parametrize("link", LINKS)
async def test_node_through_key_epochs_and_power_cuts_loses_nothing_and_raises_no_alarm(
    link: str, micropython: Path, tmp_path: Path
) -> None:
    yard = Yard(tmp_path, micropython, "serial" if link == "serial" else "wifi")
    hasten(yard.tree)
    if link == "burst":
        # Longer than a contact, so that the radio rests, and shorter than two days.
        rests = ("3_600, 1),", "3_600, 6),"), ('"radio", 0, 1, 0', '"radio", 0, 1, 1')
        for old, new in rests:
            patch(yard.tree, "ugs/remote/settings.py",
                  lambda text, old=old, new=new: text.replace(old, new))  # fmt: skip
    given = json.loads((yard.tree / "node.json").read_text())["key"]
    kinds: list[AlarmKind] = []
    with yard.node(walker(120, 2, 60)) as node:
        async with yard.gateway() as gateway:
            gateway.on_alarm(lambda change: kinds.append(change.alarm.kind))
            await until(lambda: epoch_of(node.lines) == 1, 40, node)
            node.cut_power()
            await until(lambda: epoch_of(node.lines) >= 2, 40, node)
            await asyncio.sleep(1)
        # While the gateway is away it stays: it would be more than a step ahead.
        before = epoch_of(node.lines)
        await asyncio.sleep(5)
        assert epoch_of(node.lines) <= before + 1
        async with yard.gateway() as gateway:
            gateway.on_alarm(lambda change: kinds.append(change.alarm.kind))
            await until(lambda: epoch_of(node.lines) >= before + 2, 40, node)
            await until(lambda: printed(node) == yard.stored(), 40, node)
            reasons = gateway.summary()["refused_by_reason"]
            assert not reasons.keys() - {"old_epoch"}
    assert AlarmKind.FORGERY not in kinds
    assert AlarmKind.INTRUSION in kinds
    settings = (yard.tree / "node.json").read_text()
    assert "key" not in json.loads(settings)
    assert given not in settings
    assert (yard.tree / "node.copy").read_bytes() == copy_of({"node.json": settings.encode()})
    assert [line for line in node.lines if line.startswith("key scrubbed ")]
    assert not [x for x in node.lines if x.startswith(("task failed", "node stops"))]
