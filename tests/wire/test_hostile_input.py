# SPDX-License-Identifier: MIT
"""Hostile bytes: typed refusals only, the same on gateway and node, and those of an oracle."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.wire import cbor, codec, seal
from gateway.wire.errors import WireError
from ugs.wire import codec as node_codec
from ugs.wire.errors import WireError as NodeWireError

Ask = Callable[[list[list[Any]]], list[Any]]
Vectors = Callable[[str], list[dict[str, Any]]]

REASONS = {
    "not_cbor",
    "not_deterministic",
    "unsupported",
    "too_deep",
    "trailing",
    "unknown_message",
    "missing_field",
    "bad_field",
}


def _mutations(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Valid payloads with bytes changed, inserted, removed, repeated or spliced."""
    rng = random.Random(seed)
    heads = bytes.fromhex("00171818191a1b1c1f2038404158596061787f8081989fa0a1b8bfc0d8f4f6f9fbff")
    for _ in range(count):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            at = rng.randrange(len(data) + 1)
            match rng.randrange(5):
                case 0:
                    data[at : at + 1] = bytes((rng.randrange(256),))
                case 1:
                    data[at:at] = bytes((rng.choice(heads),))
                case 2:
                    del data[at : at + rng.randrange(1, 4)]
                case 3:
                    data[at:at] = data[at : at + rng.randrange(1, 9)]
                case _:
                    data[at:] = rng.choice(seeds)[at:]
        yield bytes(data)


@pytest.fixture
def payloads(vectors: Vectors) -> list[bytes]:
    return [bytes.fromhex(v["payload"]) for v in vectors("messages") if len(v["payload"]) < 400]


def test_gateway_decoder_fed_mutations_refuses_or_decodes_to_the_same_bytes(
    payloads: list[bytes],
) -> None:
    accepted, reasons = 0, set[str]()
    for data in _mutations(payloads, 100_000, seed=1):
        try:
            message = codec.decode(data)
        except WireError as error:
            reasons.add(error.reason)
        else:
            assert codec.encode(message) == data  # one message has one encoding
            accepted += 1
    assert reasons == REASONS
    assert accepted > 1_000


def test_node_decoder_fed_mutations_gives_the_gateways_result(payloads: list[bytes]) -> None:
    for data in _mutations(payloads, 20_000, seed=2):
        verdicts = []
        for decode, error_type in ((codec.decode, WireError), (node_codec.decode, NodeWireError)):
            try:
                decode(data)
                verdicts.append("accepted")
            except error_type as error:
                verdicts.append(error.reason)
        assert verdicts[0] == verdicts[1], data.hex()


def test_every_codec_fed_mutations_gives_the_gateways_answer(
    codec: Ask, gateway: Ask, payloads: list[bytes]
) -> None:
    questions = [["decode", data.hex()] for data in _mutations(payloads, 3_000, seed=3)]
    assert codec(questions) == gateway(questions)


def test_sealed_message_mutated_never_opens(vectors: Vectors) -> None:
    vector = next(v for v in vectors("sealed") if v["name"] == "detection_onset_4")
    key, iv, aad, good = (bytes.fromhex(vector[p]) for p in ("key", "iv", "aad", "sealed"))
    reasons = set[str]()
    for data in _mutations([good], 20_000, seed=4):
        if data == good:
            continue
        try:
            piv, _ = seal.open_sealed(key, iv, data, aad)
        except WireError as error:
            reasons.add(error.reason)
            continue
        with pytest.raises(WireError, match="bad_counter"):  # a zero byte more or less
            seal.parse_up_piv(piv)
    assert reasons == {"bad_tag", "bad_envelope"}


def _oracle(data: bytes) -> tuple[bool, object]:
    """Whether cbor2 finds exactly our part of CBOR, in its canonical form, and what it reads."""
    stream = io.BytesIO(data)
    try:
        value = cbor2.load(stream)
    except Exception:  # cbor2 raises others than its own errors
        return False, None
    if stream.read(1) or not _ours(value, depth=2):
        return False, None
    return cbor2.dumps(value, canonical=True) == data, value


def _ours(value: object, depth: int) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(2**64) <= value < 2**64
    if isinstance(value, bytes):
        return True
    if isinstance(value, str):
        return all(" " <= character <= "~" for character in value)
    if depth == 0:
        return False
    if type(value) is list:
        return all(_ours(item, depth - 1) for item in value)
    if type(value) is dict:
        keys = all(type(key) is int and 0 <= key < 2**64 for key in value)
        return keys and all(_ours(item, depth - 1) for item in value.values())
    return False


def _check_against_oracle(data: bytes) -> None:
    expected, value = _oracle(data)
    try:
        ours = cbor.loads(data, depth=2)
    except WireError:
        assert not expected, data.hex()
    else:
        assert expected, data.hex()
        assert ours == value


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=24))
@example(bytes.fromhex("a2000102 a10304"))
@example(bytes.fromhex("a0"))
@example(bytes.fromhex("d9d9f700"))
def test_reader_fed_any_bytes_agrees_with_cbor2(data: bytes) -> None:
    _check_against_oracle(data)


def test_reader_fed_mutations_agrees_with_cbor2(payloads: list[bytes]) -> None:
    for data in _mutations(payloads, 20_000, seed=5):
        _check_against_oracle(data)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.integers(-(2**64), 2**64 - 1)
        | st.binary(max_size=300)
        | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
        lambda inner: (
            st.lists(inner, max_size=30)
            | st.dictionaries(st.integers(0, 2**64 - 1), inner, max_size=30)
        ),
        max_leaves=20,
    )
)
def test_reader_fed_what_cbor2_wrote_reads_it_back(value: Any) -> None:
    assert cbor.loads(cbor2.dumps(value, canonical=True), depth=30) == value
