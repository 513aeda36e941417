# SPDX-License-Identifier: MIT
# wire: messages by name <-> deterministic CBOR, driven by the schema table.
# A payload is one map: key 0 holds the message id, the other keys are those of the fields.
from micropython import const

from ugs.wire import cbor, schema
from ugs.wire.errors import WireError

_ID = const(0)
_NAME = const(1)
_DIRECTION = const(2)
_FIELDS = const(4)
_MAX_DEPTH = const(2)


# Writes the message into `buf` from its start; returns the length. A value of None counts as
# absent. Raises ValueError if the values do not fit the table or the buffer.
def encode(buf, name, values):
    for message in schema.MESSAGES:
        if message[_NAME] == name:
            break
    else:
        raise ValueError("no message " + name)
    known = present = 0
    for _, field, kind, low, high, names in message[_FIELDS]:
        if field in values:
            known += 1
        value = values.get(field)
        if value is None:
            if not kind & schema.OPT:
                raise ValueError(name + " needs " + field)
            continue
        if not _fits(kind, low, high, names, value):
            raise ValueError(name + "." + field + " out of range")
        present += 1
    if known != len(values):
        raise ValueError(name + " has no such field")
    try:
        at = cbor.write_head(buf, 0, cbor.MAP, present + 1)
        at = cbor.write_head(buf, at, cbor.UINT, 0)
        at = cbor.write_head(buf, at, cbor.UINT, message[_ID])
        for row in message[_FIELDS]:
            value = values.get(row[1])
            if value is not None:
                at = cbor.write_head(buf, at, cbor.UINT, row[0])
                at = _write(buf, at, row[2] & ~schema.OPT, value)
    except IndexError:
        raise ValueError("buffer too small") from None
    return at


def _write(buf, at, kind, value):
    if kind == schema.BYTES:
        return cbor.write_string(buf, at, cbor.BYTES, value)
    if kind == schema.TEXT:
        return cbor.write_string(buf, at, cbor.TEXT, value.encode())
    if kind == schema.PAIRS:
        at = cbor.write_head(buf, at, cbor.ARRAY, len(value))
        for number in value:
            at = cbor.write_head(buf, at, cbor.UINT, number)
        return at
    if value < 0:
        return cbor.write_head(buf, at, cbor.NINT, -1 - value)
    return cbor.write_head(buf, at, cbor.UINT, value)


# Decodes one message; returns (name, values). Raises WireError for anything `encode` never writes,
# and for a message of the other direction when `direction` is given.
def decode(data, direction=None):
    if len(data) > schema.MAX_PAYLOAD:
        raise WireError("too_big")
    entries, at = cbor.read_item(data, 0, _MAX_DEPTH)
    if at != len(data):
        raise WireError("trailing")
    if not isinstance(entries, dict):
        raise WireError("unknown_message")
    number = entries.get(0)
    for message in schema.MESSAGES:
        if message[_ID] == number:
            break
    else:
        raise WireError("unknown_message")
    if direction is not None and message[_DIRECTION] != direction:
        raise WireError("wrong_direction")
    return message[_NAME], _values(message[_FIELDS], entries)


def _values(fields, entries):
    values = {}
    for key, field, kind, low, high, names in fields:
        if key not in entries:
            if not kind & schema.OPT:
                raise WireError("missing_field")
            continue
        value = entries[key]
        if not _fits(kind, low, high, names, value):
            raise WireError("bad_field")
        values[field] = value
    if len(values) + 1 != len(entries):
        raise WireError("bad_field")
    return values


def _fits(kind, low, high, names, value):
    kind &= ~schema.OPT
    if kind in (schema.UINT, schema.INT, schema.ENUM):
        if not isinstance(value, int) or not low <= value <= high:
            return False
        return names is None or names[value - low] != ""  # a reserved value
    if kind == schema.BYTES:
        return isinstance(value, (bytes, bytearray, memoryview)) and low <= len(value) <= high
    if kind == schema.TEXT:
        return isinstance(value, str) and low <= len(value) <= high and _printable(value)
    if kind == schema.PAIRS:
        if not isinstance(value, (list, tuple)) or not low <= len(value) <= high or len(value) & 1:
            return False
        for number in value:
            if not isinstance(number, int) or not 0 <= number <= 0xFFFF:
                return False
        return True
    return False  # a reserved key


def _printable(text):
    for character in text:
        if not " " <= character <= "~":
            return False
    return True
