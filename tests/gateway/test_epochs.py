# SPDX-License-Identifier: MIT
"""Key epochs at the gateway: the present one and the next come in, the past one never again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.intake.authentication.epochs import LOOKS
from gateway.keys import KeyRing, at_epoch, derive, next_epoch, node_key
from gateway.model.alarm import AlarmKind
from gateway.service.stages import Stages
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Receipt
from tests.gateway.played_node import ROOT, SITE, PlayedNode, write_site

T0 = 1_800_000_000_000_000
S = 1_000_000


class Gate:
    """A pipeline with a clock and a store."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        self._site = load_site(folder / "site.toml")
        keys = {n: KeyRing((derive(node_key(ROOT, SITE, n)),)) for n in self._site.nodes}
        self._store = SqliteStore(folder / "store.db")
        self._store.open()
        self.pipeline = Stages(self._site, keys, self._store.load())
        self.now_us = T0

    def hear(self, node: PlayedNode, data: bytes) -> str:
        """Why it did not come in; "" when it did, as new."""
        self.now_us += S
        outcome = self.pipeline.uplink(self.now_us, node.up, data)
        writes = self.pipeline.take_writes()
        self._store.commit(writes)
        self.pipeline.committed()
        return outcome.refused or ("duplicate" if outcome.duplicate else "")

    def answers_to(self, node: PlayedNode) -> bool:
        """Whether what it seals for a node is opened by it."""
        sealed = self.pipeline.intake.downlinks.seal(node.node, Receipt(upto=(1, 1)))
        assert sealed is not None
        try:
            node.open_down(sealed[1])
        except ValueError:
            return False
        return True

    def close(self) -> None:
        self._store.close()

    def forgeries(self) -> list[str]:
        alarms = self.pipeline.monitor.state.alarms.open
        return [" ".join(a.reasons) for a in alarms if a.kind is AlarmKind.FORGERY]


@pytest.fixture
def node() -> PlayedNode:
    return PlayedNode("n01")


def step(node: PlayedNode) -> None:
    node.keys = next_epoch(node.keys)


def test_epoch_after_the_present_one_comes_in_and_is_answered_in_kind(tmp_path, node) -> None:
    gate = Gate(tmp_path)
    assert gate.hear(node, node.hello()) == ""
    assert gate.answers_to(node)
    step(node)
    assert not gate.answers_to(node)  # not heard of yet
    assert gate.hear(node, node.hello(2)) == ""
    assert gate.answers_to(node)
    assert gate.forgeries() == []


def test_epoch_past_is_refused_and_told_where_the_node_cannot_have_said_it(tmp_path, node) -> None:
    gate, copy = Gate(tmp_path), PlayedNode("n01")
    early = node.detection(500)
    assert gate.hear(node, node.hello()) == gate.hear(node, early) == ""
    late = node.health(1000)
    assert gate.hear(node, late) == ""
    step(node)
    assert gate.hear(node, node.health(2000)) == ""
    # A broker brings what it had already brought.
    assert gate.hear(node, early) == gate.hear(node, late) == "old_epoch"
    assert gate.forgeries() == []
    copy._seq = [40, 40]
    assert gate.hear(copy, copy.detection(3000)) == "stale_key"
    assert "erased" in gate.forgeries()[0]
    assert gate.pipeline.intake.refused.by_reason()["stale_key"] == 1
    assert gate.pipeline.intake.registry.views["n01"].last_seen_us == gate.now_us - 3 * S
    # Two epochs back it is a stranger's.
    step(node)
    assert gate.hear(node, node.health(4000)) == ""
    assert gate.hear(copy, copy.detection(5000)) == "bad_tag"


def test_epoch_of_a_message_that_waited_is_that_of_its_sending(tmp_path, node) -> None:
    gate = Gate(tmp_path)
    waiting = node.detection(100)
    seq = node._seq[0]
    step(node)
    node._seq[0] = seq - 1
    again = node.detection(100)
    assert again != waiting
    assert gate.hear(node, node.hello()) == gate.hear(node, again) == ""
    assert gate.pipeline.intake.authenticator.sequence("n01", 1).upto == 1


def test_epoch_is_remembered_over_a_restart(tmp_path, node) -> None:
    gate = Gate(tmp_path)
    step(node)
    assert gate.hear(node, node.hello()) == ""
    step(node)
    assert gate.hear(node, node.hello(2)) == ""
    gate.close()
    gate, copy = Gate(tmp_path), PlayedNode("n01")
    copy.keys, copy._seq = at_epoch(copy.keys, 1), [9, 9]
    assert gate.hear(copy, copy.health(9)) == "stale_key"
    assert gate.hear(node, node.health(10)) == ""
    assert gate.answers_to(node)


def test_epoch_far_ahead_of_a_store_that_was_lost_is_found(tmp_path, node) -> None:
    node.keys = at_epoch(node.keys, 1200)
    gate, stranger = Gate(tmp_path), PlayedNode("n01")
    stranger.keys = derive(bytes(32))
    for number in range(LOOKS - 1):
        assert gate.hear(stranger, stranger.health(number)) == "bad_tag"
    assert gate.hear(node, node.hello()) == ""
    assert gate.answers_to(node)


def test_epoch_is_not_looked_for_without_end(tmp_path, node) -> None:
    gate, stranger = Gate(tmp_path), PlayedNode("n01")
    stranger.keys = derive(bytes(32))
    for number in range(LOOKS):
        assert gate.hear(stranger, stranger.health(number)) == "bad_tag"
    far = PlayedNode("n01")
    far.keys = at_epoch(far.keys, 50)
    assert gate.hear(far, far.hello()) == "bad_tag"
    assert gate.hear(node, node.hello()) == ""


def test_epoch_of_a_node_that_was_heard_is_not_looked_for(tmp_path, node) -> None:
    gate, far = Gate(tmp_path), PlayedNode("n01")
    assert gate.hear(node, node.hello()) == ""
    far.keys = at_epoch(far.keys, 50)
    assert gate.hear(far, far.health(9)) == "bad_tag"
    assert gate.hear(node, node.health(10)) == ""


def test_epoch_of_one_node_says_nothing_of_anothers() -> None:
    n01, n02 = (derive(node_key(ROOT, SITE, name)) for name in ("n01", "n02"))
    reachable = {at_epoch(n01, epoch).key for epoch in range(200)}
    assert not reachable & {at_epoch(n02, epoch).key for epoch in range(200)}
    assert len(reachable) == 200
