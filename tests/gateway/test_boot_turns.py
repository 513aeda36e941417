# SPDX-License-Identifier: MIT
"""Boot numbers that start again at 1, at the gateway: nothing is lost, doubled or replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.faults import Faults
from gateway.intake.authentication.boots import HALF, is_next_turn, latest, of_turn
from gateway.keys import next_epoch
from gateway.service.running.answers import AnswerSender
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Condition, ConditionKind, DownMessage, Message, Receipt
from tests.gateway.played_node import ROOT, PlayedNode, write_site

S = 1_000_000
T0 = 1_790_000_000 * S
LAST = 65_279


class Gateway:
    """Stages with a store. `receive` returns why messages were refused, "" when they were not."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        self._site = load_site(folder / "site.toml")
        self._store = SqliteStore(None)
        self._at_us = T0
        self.sent: list[DownMessage] = []
        self.restart()

    def restart(self) -> None:
        if hasattr(self, "stages"):
            self._commit()
        self.stages = Stages(self._site, site_keys(self._site, ROOT), self._store.load())

    def _commit(self) -> None:
        self._store.commit(self.stages.take_writes())
        self.stages.committed()

    def receive(self, node: PlayedNode, *messages: bytes) -> list[str]:
        found = []
        for data in messages:
            self._at_us += S
            outcome = self.stages.uplink(self._at_us, node.up, data)
            self._commit()
            found.append(outcome.refused or ("duplicate" if outcome.duplicate else ""))
        return found

    def upto(self, boot: int) -> int:
        return self.stages.intake.authenticator.sequence("n01", boot).upto

    def answer(self, node: PlayedNode, message: DownMessage) -> Message:
        sealed = self.stages.intake.downlinks.seal("n01", message)
        assert sealed is not None
        return node.open_down(sealed[1])


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def turned(node: PlayedNode) -> bytes:
    """Its boot numbers start again, under the next key; the hello."""
    node.boot = 0
    node.restart()
    node.keys = next_epoch(node.keys)
    return node.hello(turn=1, conditions=0)


def test_boot_numbers_start_again_and_all_is_taken_once(gateway: Gateway) -> None:
    node = PlayedNode("n01", boot=1)
    # Boot 1 of the first turn had these numbers too.
    assert gateway.receive(node, node.hello(), *(node.detection(t) for t in (1, 2, 3))) == [""] * 4
    node.boot = LAST
    node._seq = [0, 0]
    assert gateway.receive(node, node.hello(turn=0), node.detection(7)) == ["", ""]
    hello = turned(node)
    assert gateway.receive(node, hello, node.detection(1), node.detection(2)) == [""] * 3
    first = of_turn(1, 1)
    assert (gateway.upto(first), gateway.upto(LAST), gateway.upto(1)) == (2, 1, 3)
    assert gateway.stages.intake.registry.views["n01"].boot == first
    assert gateway.stages.intake.detections == 6
    # What waited in the ledger is sealed when it is sent, under the new key.
    node.boot, node._seq[0] = LAST, 1
    assert gateway.receive(node, node.detection(8)) == [""]
    assert gateway.upto(LAST) == 2
    assert gateway.stages.intake.registry.views["n01"].boot == first


def test_boot_of_the_next_turn_before_its_hello_gets_no_receipt_and_comes_again(
    gateway: Gateway,
) -> None:
    node = PlayedNode("n01", boot=LAST)
    gateway.receive(node, node.hello())
    hello = turned(node)
    first = node.detection(1)
    assert gateway.receive(node, first) == ["early_boot"]
    assert gateway.upto(1) == gateway.upto(of_turn(1, 1)) == 0
    assert gateway.receive(node, hello, first, first) == ["", "", "duplicate"]


def test_boot_of_the_turn_before_is_not_replayed(gateway: Gateway) -> None:
    node = PlayedNode("n01", boot=LAST)
    old = [node.hello(turn=0), node.detection(1), node.health(5)]
    assert gateway.receive(node, *old) == [""] * 3
    assert gateway.receive(node, turned(node)) == [""]
    assert gateway.receive(node, *old) == ["old_epoch"] * 3
    # Under the key in use: from the node itself, late.
    node.boot, node._seq = LAST, [50, 50]
    assert gateway.receive(node, node.hello(turn=0), node.health(6)) == ["old_boot"] * 2


@pytest.mark.parametrize("restarts", [False, True])
def test_boot_of_the_next_turn_is_answered_and_remembered(gateway: Gateway, restarts: bool) -> None:
    node = PlayedNode("n01", boot=LAST)
    gateway.receive(node, node.hello())
    gateway.receive(node, turned(node), node.detection(1))
    if restarts:
        gateway.restart()
    assert gateway.receive(node, node.health(9)) == [""]
    assert isinstance(gateway.answer(node, Receipt(upto=(1, 1))), Receipt)
    node.restart()
    assert gateway.receive(node, node.hello(turn=1), node.detection(1)) == ["", ""]
    assert gateway.upto(of_turn(1, 2)) == 1


def test_boot_gap_of_the_turn_before_is_reported_in_the_next(gateway: Gateway) -> None:
    node = PlayedNode("n01", boot=LAST)
    gateway.receive(node, node.hello(), node.detection(1))
    gateway.receive(node, turned(node))
    gone = Condition(t_ms=1, kind=ConditionKind.RECORDS_DROPPED, active=1, value=5, boot=LAST)
    gateway.receive(node, node.seal(gone, 0))
    assert gateway.upto(LAST) == 5
    assert gateway.stages.intake.registry.views["n01"].records_dropped == 4


async def test_boot_in_a_receipt_is_the_number_of_the_wire() -> None:
    sent: list[DownMessage] = []
    sender = AnswerSender(
        lambda _node, _boot: 9, lambda: T0, lambda _node, one: sent.append(one), Faults()
    )
    sender.owe_receipt("n01", of_turn(3, 7))
    sender.close()
    assert sent == [Receipt(upto=(7, 9))]


def test_boot_numbers_are_read_over_half_a_turn() -> None:
    for newest, number, expected in (
        (0, 65_535, 65_535),
        (5, 40_000, 40_000),  # no turn before the first
        (of_turn(1, 1), LAST, LAST),
        (of_turn(1, 1), 1 + HALF, 1 + HALF),
        (of_turn(1, 1), HALF, of_turn(1, HALF)),
        (of_turn(2, LAST), LAST - 1, of_turn(2, LAST - 1)),
    ):
        assert latest(newest, number) == expected, (newest, number)
    assert is_next_turn(LAST, 1)
    assert not is_next_turn(LAST, LAST - HALF + 1)
