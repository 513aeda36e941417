# SPDX-License-Identifier: MIT
"""The gateway's typed messages: round trips, bounds, and the stated sizes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire import codec, seal
from gateway.wire.field import FieldSpec, Kind, specs_of
from gateway.wire.messages import (
    MAX_PAYLOAD,
    MAX_SEALED,
    MESSAGES,
    Condition,
    ConditionKind,
    Detection,
    Health,
    Message,
    Phase,
    Receipt,
    TargetClass,
)

LORAWAN_DR0 = 51  # bytes: EU868 at its slowest data rate, LoRaWAN Regional Parameters
ASCII = st.characters(min_codepoint=32, max_codepoint=126)


def _values(spec: FieldSpec) -> st.SearchStrategy[Any]:
    match spec.kind:
        case Kind.ENUM:
            assert spec.enum is not None
            return st.sampled_from(list(spec.enum))
        case Kind.TEXT:
            return st.text(ASCII, min_size=spec.low, max_size=spec.high)
        case Kind.BYTES:
            return st.binary(min_size=spec.low, max_size=spec.high)
        case Kind.PAIRS:
            pair = st.tuples(st.integers(0, 65_535), st.integers(0, 65_535))
            pairs = st.lists(pair, min_size=spec.low // 2, max_size=spec.high // 2)
            return pairs.map(lambda found: tuple(number for one in found for number in one))
        case _:
            return st.integers(spec.low, spec.high)


def _messages(kind: type[Message]) -> st.SearchStrategy[Message]:
    fields, specs = {}, specs_of(kind)
    for field in msgspec.structs.fields(kind):
        strategy = _values(specs[field.name])
        fields[field.name] = strategy if field.required else st.none() | strategy
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", MESSAGES)
def test_message_encoded_and_decoded_is_the_same(kind: type[Message]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(_messages(kind))
    def check(message: Message) -> None:
        payload = codec.encode(message)
        assert len(payload) <= MAX_PAYLOAD
        assert codec.decode(payload) == message

    check()


def _widest(spec: FieldSpec) -> list[Any]:
    """The values with the longest encodings: for numbers both ends, for the rest the longest."""
    match spec.kind:
        case Kind.ENUM:
            assert spec.enum is not None
            return list(spec.enum)
        case Kind.TEXT:
            return ["x" * spec.high]
        case Kind.BYTES:
            return [bytes(spec.high)]
        case Kind.PAIRS:
            return [(65_535,) * spec.high]
        case _:
            return [spec.low, spec.high]


def _largest(kind: type[Message]) -> bytes:
    """Every field present, each at the value that takes most bytes."""
    values: dict[str, Any] = {}
    for name, spec in specs_of(kind).items():
        values[name] = max(_widest(spec), key=lambda v: abs(v) if isinstance(v, int) else 0)
    return codec.encode(kind(**values))


@pytest.mark.parametrize("kind", MESSAGES)
def test_message_at_its_largest_fits_its_budget(kind: type[Message]) -> None:
    budget = LORAWAN_DR0 if kind in (Detection, Health) else MAX_SEALED
    pivs = [b"\xff" * 4 if space == 0 else b"\x01" + b"\xff" * 4 for space in kind.SPACES]
    for piv in pivs or [b"\xff" * 5]:
        sealed = seal.seal(bytes(16), bytes(13), piv, _largest(kind), b"topic")
        assert len(sealed) <= budget


def test_payload_at_its_limit_sealed_is_exactly_at_its_limit() -> None:
    sealed = seal.seal(bytes(16), bytes(13), b"\xff" * 5, bytes(MAX_PAYLOAD), b"topic")
    assert len(sealed) == MAX_SEALED
    assert seal.open_sealed(bytes(16), bytes(13), sealed, b"topic")[1] == bytes(MAX_PAYLOAD)


def _detection(**changes: Any) -> Detection:
    values: dict[str, Any] = {
        "t_ms": 1,
        "phase": Phase.ONSET,
        "class_": TargetClass.PERSON,
        "confidence_pct": 50,
        "peak_um_s_x100": 5,
        "cadence_hz_x20": 0,
        "pir_count": 0,
    }
    return Detection(**{**values, **changes})


@pytest.mark.parametrize(
    "message",
    [
        _detection(t_ms=-1),
        _detection(t_ms=1 << 32),
        _detection(t_ms=1.5),
        _detection(t_ms=None),
        _detection(confidence_pct=101),
        Receipt(upto=(1, 2, 3)),
        Receipt(upto=(1, 65_536)),
        Receipt(upto=()),
    ],
)
def test_message_out_of_bounds_is_not_encoded(message: Message) -> None:
    with pytest.raises(ValueError, match="out of range"):
        codec.encode(message)


def test_label_of_a_value_is_its_name_in_the_table() -> None:
    assert ConditionKind.LOW_BATTERY.label == "low_battery"
    assert TargetClass(1).label == "person"


def test_lanes_follow_the_nonce_rules() -> None:
    assert Detection.SPACES == (seal.DURABLE,)
    assert Health.SPACES == (seal.VOLATILE,)
    assert Condition.SPACES == (seal.DURABLE, seal.VOLATILE)
    assert Receipt.SPACES == ()
