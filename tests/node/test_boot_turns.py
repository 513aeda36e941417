# SPDX-License-Identifier: MIT
"""A whole node whose boot numbers start again at 1, in front of a whole gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zlib import crc32

import pytest

from gateway.model.alarm import AlarmKind
from tests.node.conftest import walker
from tests.node.yard import Yard, printed, until

LAST = 65_279  # ugs.ledger.boots


def set_counter(tree: Path, number: int) -> None:
    """As if the node had started so often."""
    (tree / "state").mkdir()
    for name, value in (("boot0", number), ("boot1", number - 1)):
        data = value.to_bytes(4, "big")
        (tree / "state" / name).write_bytes(data + crc32(data).to_bytes(4, "big"))


@pytest.mark.slow
async def test_node_whose_boot_numbers_start_again_loses_and_doubles_nothing(
    micropython: Path, tmp_path: Path
) -> None:
    yard = Yard(tmp_path, micropython, "wifi")
    set_counter(yard.tree, LAST - 1)
    kinds: list[AlarmKind] = []

    def boots() -> list[int]:
        return sorted({boot for boot, _seq in printed(node)})

    with yard.node(walker(120, 1, 110)) as node:
        async with yard.gateway() as gateway:
            gateway.on_alarm(lambda change: kinds.append(change.alarm.kind))
            await until(lambda: boots() == [LAST] and printed(node) <= yard.stored(), 40, node)
        # These wait in the ledger for the next turn, where they are sealed under its key.
        waiting = len(printed(node)) + 1
        await until(lambda: len(printed(node)) >= waiting, 40, node)
        node.cut_power()
        await until(lambda: 1 in boots(), 40, node)
        assert any(line.startswith("key rotated epoch=1") for line in node.lines)
        async with yard.gateway() as gateway:
            gateway.on_alarm(lambda change: kinds.append(change.alarm.kind))

            def stored() -> set[tuple[int, int]]:
                return {(boot & 0xFFFF, seq) for boot, seq in yard.stored()}

            await until(lambda: printed(node) == stored(), 40, node)
            node.cut_power()
            await until(lambda: 2 in boots(), 40, node)
            await until(lambda: printed(node) == stored(), 40, node)
            await asyncio.sleep(0.5)
            reasons = gateway.summary()["refused_by_reason"]
            assert not reasons.keys() - {"old_epoch"}, reasons
            view = gateway.service.stages.intake.registry.views["n01"]
            assert view.boot == (1 << 16) + 2
    assert boots() == [1, 2, LAST]
    assert AlarmKind.FORGERY not in kinds
    assert AlarmKind.INTRUSION in kinds
    assert not [x for x in node.lines if x.startswith(("task failed", "node stops"))]


@pytest.mark.parametrize(
    ("damaged", "boot"),
    [
        pytest.param(
            ("state/boot0", "state/boot1"), 2, id="but not their copy", marks=pytest.mark.long
        ),
        pytest.param(("state/boot0", "state/boot1", "starts"), 0x8000, id="with their copy"),
    ],
)
async def test_node_whose_counters_are_damaged_goes_on_in_front_of_the_gateway(
    damaged: tuple[str, ...], boot: int, micropython: Path, tmp_path: Path
) -> None:
    yard = Yard(tmp_path, micropython, "wifi")
    kinds: list[AlarmKind] = []
    async with yard.gateway() as gateway:
        gateway.on_alarm(lambda change: kinds.append(change.alarm.kind))
        with yard.node(walker(60, 1, 50)) as first:
            await until(lambda: printed(first) and printed(first) <= yard.stored(), 40, first)
        for name in damaged:
            (yard.tree / name).write_bytes(b"\xff" * 8)
        with yard.node(walker(60, 1, 50)) as second:
            await until(lambda: printed(second) and printed(second) <= yard.stored(), 40, second)
        assert {boot for boot, _seq in printed(second)} == {boot}
        assert printed(first) <= yard.stored()
        assert gateway.summary()["refused_by_reason"].keys() <= {"old_epoch"}
        assert gateway.service.stages.intake.registry.views["n01"].boot == boot
    assert AlarmKind.FORGERY not in kinds
    assert not [x for x in second.lines if x.startswith(("task failed", "node stops"))]
