# SPDX-License-Identifier: MIT
"""Key epochs at the gateway: it accepts the present epoch and the next, never a past one."""

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


class Gateway:
    """The processing stages with a clock and a store."""

    def __init__(self, folder: Path) -> None:
        write_site(folder)
        self._site = load_site(folder / "site.toml")
        keys = {n: KeyRing((derive(node_key(ROOT, SITE, n)),)) for n in self._site.nodes}
        self._store = SqliteStore(folder / "store.db")
        self._store.open()
        self.stages = Stages(self._site, keys, self._store.load())
        self.now_us = T0

    def send(self, node: PlayedNode, data: bytes) -> str:
        """The reason for a refusal; "" when the message is accepted as new."""
        self.now_us += S
        outcome = self.stages.uplink(self.now_us, node.up, data)
        writes = self.stages.take_writes()
        self._store.commit(writes)
        self.stages.committed()
        return outcome.refused or ("duplicate" if outcome.duplicate else "")

    def answers_to(self, node: PlayedNode) -> bool:
        """Whether the node can open what the gateway seals for it."""
        sealed = self.stages.intake.downlinks.seal(node.node, Receipt(upto=(1, 1)))
        assert sealed is not None
        try:
            node.open_down(sealed[1])
        except ValueError:
            return False
        return True

    def close(self) -> None:
        self._store.close()

    def spoofing_alarms(self) -> list[str]:
        alarms = self.stages.monitor.state.alarms.open
        return [" ".join(a.reasons) for a in alarms if a.kind is AlarmKind.FORGERY]


@pytest.fixture
def node() -> PlayedNode:
    return PlayedNode("n01")


def rotate_key(node: PlayedNode) -> None:
    node.keys = next_epoch(node.keys)


def test_epoch_next_is_accepted_and_used_for_answers(tmp_path, node) -> None:
    gateway = Gateway(tmp_path)
    assert gateway.send(node, node.hello()) == ""
    assert gateway.answers_to(node)
    rotate_key(node)
    assert not gateway.answers_to(node)  # no message of the new epoch was received yet
    assert gateway.send(node, node.hello(2)) == ""
    assert gateway.answers_to(node)
    assert gateway.spoofing_alarms() == []


def test_epoch_past_is_refused_and_raises_an_alarm_for_new_messages(tmp_path, node) -> None:
    gateway, copy = Gateway(tmp_path), PlayedNode("n01")
    early = node.detection(500)
    assert gateway.send(node, node.hello()) == gateway.send(node, early) == ""
    late = node.health(1000)
    assert gateway.send(node, late) == ""
    rotate_key(node)
    assert gateway.send(node, node.health(2000)) == ""
    # A broker delivers earlier messages again.
    assert gateway.send(node, early) == gateway.send(node, late) == "old_epoch"
    assert gateway.spoofing_alarms() == []
    copy._seq = [40, 40]
    assert gateway.send(copy, copy.detection(3000)) == "stale_key"
    assert "erased" in gateway.spoofing_alarms()[0]
    assert gateway.stages.intake.refused.by_reason()["stale_key"] == 1
    assert gateway.stages.intake.registry.views["n01"].last_seen_us == gateway.now_us - 3 * S
    # Two epochs back, the key is unknown.
    rotate_key(node)
    assert gateway.send(node, node.health(4000)) == ""
    assert gateway.send(copy, copy.detection(5000)) == "bad_tag"


def test_epoch_of_a_queued_message_is_that_of_its_sending(tmp_path, node) -> None:
    gateway = Gateway(tmp_path)
    queued = node.detection(100)
    seq = node._seq[0]
    rotate_key(node)
    node._seq[0] = seq - 1
    resealed = node.detection(100)
    assert resealed != queued
    assert gateway.send(node, node.hello()) == gateway.send(node, resealed) == ""
    assert gateway.stages.intake.authenticator.sequence("n01", 1).upto == 1


def test_epoch_is_kept_over_a_restart(tmp_path, node) -> None:
    gateway = Gateway(tmp_path)
    rotate_key(node)
    assert gateway.send(node, node.hello()) == ""
    rotate_key(node)
    assert gateway.send(node, node.hello(2)) == ""
    gateway.close()
    gateway, copy = Gateway(tmp_path), PlayedNode("n01")
    copy.keys, copy._seq = at_epoch(copy.keys, 1), [9, 9]
    assert gateway.send(copy, copy.health(9)) == "stale_key"
    assert gateway.send(node, node.health(10)) == ""
    assert gateway.answers_to(node)


def test_epoch_far_ahead_is_found_after_the_store_was_lost(tmp_path, node) -> None:
    node.keys = at_epoch(node.keys, 1200)
    gateway, stranger = Gateway(tmp_path), PlayedNode("n01")
    stranger.keys = derive(bytes(32))
    for number in range(LOOKS - 1):
        assert gateway.send(stranger, stranger.health(number)) == "bad_tag"
    assert gateway.send(node, node.hello()) == ""
    assert gateway.answers_to(node)


def test_epoch_search_is_bounded(tmp_path, node) -> None:
    gateway, stranger = Gateway(tmp_path), PlayedNode("n01")
    stranger.keys = derive(bytes(32))
    for number in range(LOOKS):
        assert gateway.send(stranger, stranger.health(number)) == "bad_tag"
    far = PlayedNode("n01")
    far.keys = at_epoch(far.keys, 50)
    assert gateway.send(far, far.hello()) == "bad_tag"
    assert gateway.send(node, node.hello()) == ""


def test_epoch_ahead_is_found_after_forged_messages_used_up_every_look(tmp_path, node) -> None:
    gateway, stranger = Gateway(tmp_path), PlayedNode("n01")
    stranger.keys = derive(bytes(32))
    for number in range(2 * LOOKS):
        assert gateway.send(stranger, stranger.health(number)) == "bad_tag"
    node.keys = at_epoch(node.keys, 50)
    assert gateway.send(node, node.hello()) == "bad_tag"  # too soon
    gateway.now_us += 31 * S
    assert gateway.send(node, node.hello(2)) == ""
    assert gateway.answers_to(node)


def test_epoch_of_a_node_seen_before_is_not_searched(tmp_path, node) -> None:
    gateway, far = Gateway(tmp_path), PlayedNode("n01")
    assert gateway.send(node, node.hello()) == ""
    far.keys = at_epoch(far.keys, 50)
    assert gateway.send(far, far.health(9)) == "bad_tag"
    assert gateway.send(node, node.health(10)) == ""


def test_epoch_keys_of_two_nodes_share_none() -> None:
    n01, n02 = (derive(node_key(ROOT, SITE, name)) for name in ("n01", "n02"))
    reachable = {at_epoch(n01, epoch).key for epoch in range(200)}
    assert not reachable & {at_epoch(n02, epoch).key for epoch in range(200)}
    assert len(reachable) == 200
