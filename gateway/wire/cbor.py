# SPDX-License-Identifier: MIT
"""wire: strict, bounded reader of the part of CBOR (RFC 8949) that messages use.

Own code because it stands in the path of hostile bytes: a general decoder builds objects for tags,
shared references and floats before a schema can object. Only the deterministic form (4.2.1) is
accepted, so one message has one encoding. Time and memory are bounded by the length of the input.
"""

from __future__ import annotations

from typing import TypeAlias

from gateway.wire.errors import WireError

Item: TypeAlias = "int | bytes | str | list[Item] | dict[int, Item]"

_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE = 31
_U8, _U16, _U32 = 0x18, 0x19, 0x1A  # first byte of an unsigned number in 1, 2 or 4 more bytes
_N8 = 0x38  # and of a negative one in one more
_END = 0xFF  # starts no item
_PRINTABLE = bytes(range(0x20, 0x7F))


def loads(data: bytes, depth: int) -> Item:
    """The one item `data` holds, with at most `depth` containers inside each other.

    Raises WireError: not_cbor, not_deterministic, unsupported, too_deep, trailing.
    """
    item, end = _item(data, 0, depth)
    if end != len(data):
        raise WireError("trailing")
    return item


def _item(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    major, argument, at = _head(data, at)
    if major == _UINT:
        return argument, at
    if major == _NINT:
        return -1 - argument, at
    if major in (_BYTES, _TEXT):
        return _string(data, at, major, argument)
    if depth == 0:
        raise WireError("too_deep")
    # An item takes at least one byte, so a claimed count costs no more than the bytes there are.
    if argument * (2 if major == _MAP else 1) > len(data) - at:
        raise WireError("not_cbor")
    if major == _MAP:
        return _map(data, at, argument, depth - 1)
    items: list[Item] = []
    for _ in range(argument):
        item, at = _item(data, at, depth - 1)
        items.append(item)
    return items, at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, index of what follows."""
    if at >= len(data):
        raise WireError("not_cbor")
    major, info = data[at] >> 5, data[at] & 0x1F
    if major == _TAG or (major == _SIMPLE and info != _INDEFINITE):
        raise WireError("unsupported")
    at += 1
    if info < 24:
        return major, info, at
    if info == _INDEFINITE and _BYTES <= major <= _MAP:
        raise WireError("not_deterministic")
    if info > 27:
        raise WireError("not_cbor")
    size = 1 << (info - 24)
    raw = data[at : at + size]
    if len(raw) < size:
        raise WireError("not_cbor")
    argument = int.from_bytes(raw, "big")
    if argument < (24 if size == 1 else 1 << (4 * size)):
        raise WireError("not_deterministic")
    return major, argument, at + size


def _string(data: bytes, at: int, major: int, length: int) -> tuple[Item, int]:
    content = data[at : at + length]
    if len(content) < length:
        raise WireError("not_cbor")
    if major == _BYTES:
        return content, at + length
    if content.translate(None, _PRINTABLE):
        raise WireError("unsupported")
    return content.decode("ascii"), at + length


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[Item, int]:
    entries: dict[int, Item] = {}
    last, size = -1, len(data)
    for _ in range(count):
        if at < size and (key := data[at]) < 24:  # the short form: nearly all keys
            at += 1
        else:
            major, key, at = _head(data, at)
            if major != _UINT:
                raise WireError("unsupported")
        if key <= last:
            raise WireError("not_deterministic")
        last = key
        lead = data[at] if at < size else _END
        if lead < 24:  # and many values
            entries[key] = lead
            at += 1
        elif lead == _U8 and at + 1 < size and (value := data[at + 1]) >= 24:
            entries[key] = value
            at += 2
        elif lead == _U16 and at + 2 < size and data[at + 1]:
            entries[key] = data[at + 1] << 8 | data[at + 2]
            at += 3
        elif lead == _U32 and at + 4 < size and (data[at + 1] or data[at + 2]):  # uptimes
            entries[key] = int.from_bytes(data[at + 1 : at + 5], "big")
            at += 5
        elif lead == _N8 and at + 1 < size and (value := data[at + 1]) >= 24:  # signal strengths
            entries[key] = -1 - value
            at += 2
        else:
            entries[key], at = _item(data, at, depth)
    return entries, at
