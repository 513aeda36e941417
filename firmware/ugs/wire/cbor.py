# SPDX-License-Identifier: MIT
# wire: the subset of CBOR (RFC 8949) that messages use, in deterministic form (4.2.1) only:
# integers, byte strings, printable ASCII text, arrays, and maps with ascending unsigned keys.
from micropython import const

from ugs.wire.errors import WireError

UINT = const(0)
NINT = const(1)
BYTES = const(2)
TEXT = const(3)
ARRAY = const(4)
MAP = const(5)
_TAG = const(6)


# Writes a head (major type, 0 <= n < 2^64) in its shortest form; returns the next index.
def write_head(buf, at, major, n):
    if n < 24:
        buf[at] = major << 5 | n
        return at + 1
    info = 24
    size = 1
    while n >> 8 * size:
        info += 1
        size <<= 1
    buf[at] = major << 5 | info
    for i in range(at + size, at, -1):
        buf[i] = n & 0xFF
        n >>= 8
    return at + size + 1


# Writes head and content of a byte or text string; returns the next index.
def write_string(buf, at, major, data):
    at = write_head(buf, at, major, len(data))
    end = at + len(data)
    if end > len(buf):
        raise IndexError
    buf[at:end] = data
    return end


# Reads a head; returns (major, argument, next index).
def read_head(data, at):
    end = len(data)
    if at >= end:
        raise WireError("not_cbor")
    major = data[at] >> 5
    n = data[at] & 31
    at += 1
    if major == _TAG or (major > MAP and n != 31):
        raise WireError("unsupported")  # tags, floats, simple values
    if n < 24:
        return major, n, at
    if n == 31 and BYTES <= major <= MAP:
        raise WireError("not_deterministic")  # indefinite length
    if n > 27:
        raise WireError("not_cbor")
    size = 1 << n - 24
    if at + size > end:
        raise WireError("not_cbor")
    n = int.from_bytes(data[at : at + size], "big")
    if n < 24 or (size > 1 and not n >> 4 * size):
        raise WireError("not_deterministic")  # not the shortest form
    return major, n, at + size


# Reads one item with at most `depth` nested containers; returns (value, next index). A claimed
# length never allocates more than the bytes present.
def read_item(data, at, depth):
    major, n, at = read_head(data, at)
    if major == UINT:
        return n, at
    if major == NINT:
        return -1 - n, at
    left = len(data) - at
    if major <= TEXT:
        if n > left:
            raise WireError("not_cbor")
        value = bytes(data[at : at + n])
        if major == TEXT:
            for byte in value:
                if byte < 0x20 or byte > 0x7E:
                    raise WireError("unsupported")
            value = value.decode()
        return value, at + n
    if not depth:
        raise WireError("too_deep")
    if (n if major == ARRAY else 2 * n) > left:
        raise WireError("not_cbor")
    if major == ARRAY:
        items = []
        for _ in range(n):
            value, at = read_item(data, at, depth - 1)
            items.append(value)
        return items, at
    return _read_map(data, at, n, depth - 1)


def _read_map(data, at, n, depth):
    entries = {}
    last = -1
    for _ in range(n):
        major, key, at = read_head(data, at)
        if major != UINT:
            raise WireError("unsupported")
        if key <= last:
            raise WireError("not_deterministic")  # unsorted or twice
        last = key
        entries[key], at = read_item(data, at, depth)
    return entries, at
