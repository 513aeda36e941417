# SPDX-License-Identifier: MIT
"""wire: typed messages <-> deterministic CBOR, checked against the schema in both directions."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeGuard, cast

import cbor2
import msgspec

from gateway.wire import cbor
from gateway.wire.errors import WireError
from gateway.wire.field import FieldSpec, Kind, WireEnum, specs_of
from gateway.wire.messages import MAX_PAYLOAD, MESSAGES, Message, UpMessage

_MAX_DEPTH = 2  # an array in the map
_ID_KEY = 0
_U16_MAX = 0xFFFF


class _Slot(NamedTuple):
    """One field of a message, as the codec needs it. `values` are those of an enum."""

    attribute: str
    key: int
    number: bool
    low: int
    high: int
    values: dict[int, WireEnum] | None
    required: bool
    spec: FieldSpec


def _slots(message: type[Message]) -> tuple[_Slot, ...]:
    specs = specs_of(message)
    return tuple(
        _Slot(
            attribute=field.name,
            key=(spec := specs[field.name]).key,
            number=spec.kind in (Kind.UINT, Kind.INT, Kind.ENUM),
            low=spec.low,
            high=spec.high,
            values={int(value): value for value in spec.enum} if spec.enum is not None else None,
            required=field.required,
            spec=spec,
        )
        for field in msgspec.structs.fields(message)
    )


_SLOTS = {message: _slots(message) for message in MESSAGES}
_BY_ID = {message.ID: message for message in MESSAGES}


def encode(message: Message) -> bytes:
    """The payload of a message. Raises ValueError when a value does not fit the schema."""
    entries: dict[int, object] = {_ID_KEY: message.ID}
    for slot in _SLOTS[type(message)]:
        value = getattr(message, slot.attribute)
        if value is None and not slot.required:
            continue
        if not _fits(slot.spec, value):
            raise ValueError(f"{type(message).__name__}.{slot.attribute} out of range: {value!r}")
        entries[slot.spec.key] = int(value) if slot.spec.kind is Kind.ENUM else value
    return cbor2.dumps(entries, canonical=True)


def decode(data: bytes, direction: str | None = None) -> Message:
    """The message in a payload. Raises WireError for anything `encode` would not write.

    With `direction` "up" or "down", a message of the other one is refused too (wrong_direction).
    """
    if len(data) > MAX_PAYLOAD:
        raise WireError("too_big")
    entries = cbor.loads(data, _MAX_DEPTH)
    if not isinstance(entries, dict):
        raise WireError("unknown_message")
    name = entries.pop(_ID_KEY, None)
    message = _BY_ID.get(name) if isinstance(name, int) else None
    if message is None:
        raise WireError("unknown_message")
    if direction is not None and direction != message.DIRECTION:
        raise WireError("wrong_direction")
    fields: dict[str, Any] = {}
    # Taken apart here: this loop is most of what decoding costs.
    for attribute, key, number, low, high, values, required, spec in _SLOTS[message]:
        value: Any = entries.pop(key, None)
        if value is None:
            if required:
                raise WireError("missing_field")
            continue
        if number:  # nearly all are
            if type(value) is not int or not low <= value <= high:
                raise WireError("bad_field")
            if values is not None and (value := values.get(value)) is None:
                raise WireError("bad_field")  # a reserved value
        elif not _fits(spec, value):
            raise WireError("bad_field")
        elif type(value) is list:
            value = tuple(value)
        fields[attribute] = value
    if entries:
        raise WireError("bad_field")
    return message(**fields)


def decode_up(data: bytes) -> UpMessage:
    """The same of a node's message."""
    return cast(UpMessage, decode(data, "up"))


def _fits(spec: FieldSpec, value: object) -> bool:
    match spec.kind:
        case Kind.UINT | Kind.INT | Kind.ENUM:
            return isinstance(value, int) and spec.low <= value <= spec.high
        case Kind.BYTES:
            return isinstance(value, bytes) and spec.low <= len(value) <= spec.high
        case Kind.TEXT:
            return (
                isinstance(value, str)
                and spec.low <= len(value) <= spec.high
                and value.isascii()
                and value.isprintable()
            )
        case Kind.PAIRS:
            return (
                _is_sequence(value)
                and spec.low <= len(value) <= spec.high
                and len(value) % 2 == 0
                and all(isinstance(n, int) and 0 <= n <= _U16_MAX for n in value)
            )


def _is_sequence(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, list | tuple)
