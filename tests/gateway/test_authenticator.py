# SPDX-License-Identifier: MIT
"""The authenticator: hostile bytes are rejected, counted by reason, and leave no state."""

from __future__ import annotations

import random

import cbor2
import pytest

from gateway.intake.authentication.authenticator import Authenticator, Refusal
from gateway.intake.authentication.sequence import WINDOW, DurableSequence, VolatileWindow
from gateway.intake.downlink import BLOCK, DownCounter
from gateway.intake.refused import Refused
from gateway.keys import KeyRing
from gateway.wire import seal
from gateway.wire.messages import Condition, ConditionKind, Time
from gateway.wire.topics import uplink_topic
from tests.gateway.played_node import SITE, PlayedNode


@pytest.fixture
def node() -> PlayedNode:
    return PlayedNode("n01")


@pytest.fixture
def authenticator(node: PlayedNode) -> Authenticator:
    return Authenticator(SITE, {n.node: KeyRing((n.keys,)) for n in (node, PlayedNode("n02"))})


def reason(authenticator: Authenticator, topic: str, data: bytes) -> str:
    with pytest.raises(Refusal) as refusal:
        authenticator.admit(topic, data)
    return refusal.value.reason


def sealed(node: PlayedNode, payload: bytes, piv: bytes = b"\x01\0\x01\0\x09") -> bytes:
    return seal.seal(node.keys.up_key, node.keys.up_iv, piv, payload, node.up.encode())


def test_authenticator_authentic_message_is_admitted_once(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    data = node.detection(1000)
    assert authenticator.admit(node.up, data).fresh
    assert not authenticator.admit(node.up, data).fresh
    assert authenticator.sequence("n01", 1).upto == 1


def test_authenticator_any_flipped_bit_is_refused(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    data = node.detection(1000)
    for bit in range(8 * len(data)):
        bad = bytearray(data)
        bad[bit // 8] ^= 1 << bit % 8
        assert reason(authenticator, node.up, bytes(bad)) in (
            "bad_tag",
            "bad_envelope",
            "bad_counter",
        )
    assert authenticator.admit(node.up, data).fresh


def test_authenticator_truncated_message_is_refused(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    data = node.hello()
    for size in range(len(data)):
        assert reason(authenticator, node.up, data[:size]) in ("bad_tag", "bad_envelope")
    assert reason(authenticator, node.up, data + b"\0") == "bad_envelope"


def test_authenticator_message_on_another_nodes_topic_is_refused(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    assert reason(authenticator, uplink_topic(SITE, "n02"), node.detection(1)) == "bad_tag"


def test_authenticator_volatile_replay_is_refused(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    data = node.health(1)
    assert authenticator.admit(node.up, data).fresh
    assert reason(authenticator, node.up, data) == "replayed"


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("groundwatch/v1/yard/n99/up", "unknown_node"),
        ("groundwatch/v1/orchard/n01/up", "foreign_site"),
        ("groundwatch/v1/yard/n01/down", "bad_topic"),
        ("groundwatch/v1/yard/n01/up/x", "bad_topic"),
        ("groundwatch/v1/yard/n01/up\n", "bad_topic"),
        ("groundwatch/v1/yard/" + "n" * 60 + "/up", "bad_topic"),
        ("", "bad_topic"),
    ],
)
def test_authenticator_wrong_topic_is_refused(
    authenticator: Authenticator, node: PlayedNode, topic: str, expected: str
) -> None:
    assert reason(authenticator, topic, node.hello()) == expected


def test_authenticator_oversized_message_is_refused_before_decryption(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    assert reason(authenticator, node.up, bytes(1537)) == "too_big"


def test_authenticator_sealed_malformed_payload_is_refused_with_a_reason(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    nested = b"\x81" * 600 + b"\0"
    shared = cbor2.dumps({0: cbor2.CBORTag(258, [1, 2])})
    for payload in (
        nested,
        shared,
        b"",
        b"\xa0",
        b"\xa1\0\x18\x2a",
        b"\xbf\xff",
        b"\xfb" + bytes(8),
    ):
        assert reason(authenticator, node.up, sealed(node, payload))
    with_time = seal_time(node)
    assert reason(authenticator, node.up, with_time) in ("wrong_direction", "unknown_message")


def seal_time(node: PlayedNode) -> bytes:
    return node.seal(Time(utc_ms=1, echo_ms=1), 1)


def test_authenticator_message_in_the_wrong_counter_space_is_refused(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    assert reason(authenticator, node.up, _in_counter_space(node, 0)) == "wrong_counter_space"
    tamper = Condition(t_ms=1, kind=ConditionKind.TAMPER, active=1)
    assert reason(authenticator, node.up, node.seal(tamper, 1)) == "wrong_counter_space"


def _in_counter_space(node: PlayedNode, space: int) -> bytes:
    other = PlayedNode("n01")
    good = other.hello()
    piv, payload = seal.open_sealed(node.keys.up_key, node.keys.up_iv, good, node.up.encode())
    return sealed(node, payload, piv[1:] if space == 0 else piv)


def test_authenticator_random_bytes_are_refused_as_bad_envelope(
    authenticator: Authenticator, node: PlayedNode
) -> None:
    rng = random.Random(1)
    for _ in range(3000):
        data = rng.randbytes(rng.randrange(80))
        assert reason(authenticator, node.up, data) == "bad_envelope"


def test_sequence_gap_holds_the_receipt_until_it_is_filled() -> None:
    seen = DurableSequence()
    assert [seen.see(n) for n in (1, 2, 4, 5)] == [True] * 4
    assert seen.upto == 2
    assert seen.see(3)
    assert seen.upto == 5
    assert not seen.see(4)


def test_sequence_records_given_up_close_the_gap_and_are_counted() -> None:
    seen = DurableSequence()
    for number in (1, 5, 6, 9):
        seen.see(number)
    assert seen.give_up(7) == 4  # 2, 3, 4 and 7
    assert seen.upto == 7
    seen.see(8)
    assert seen.upto == 9
    assert seen.give_up(3) == 0


def test_window_admits_each_counter_once_in_any_order() -> None:
    window = VolatileWindow()
    numbers = list(range(1, WINDOW))
    random.Random(2).shuffle(numbers)
    assert all(window.see(1, number) for number in numbers)
    assert not any(window.see(1, number) for number in numbers)
    assert window.see(2, 1)
    assert not window.see(1, WINDOW + 1)  # older than the window: not verifiable, so refused


def test_refused_many_reasons_stay_bounded() -> None:
    refused = Refused()
    for number in range(10_000):
        refused.count(f"reason{number}", "-")
    assert len(refused.cells) <= 4097
    assert sum(refused.cells.values()) == 10_000


def test_down_counter_is_not_granted_before_its_block_is_stored() -> None:
    counter = DownCounter()
    assert counter.take() is None
    counter.top_up()
    assert counter.reserved == BLOCK
    assert counter.take() is None
    counter.committed(counter.reserved)
    assert counter.take() == 1
    assert DownCounter(BLOCK).take() is None  # after a restart: a new block only
