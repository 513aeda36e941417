# SPDX-License-Identifier: MIT
# ledger: records in one segment file, framed so that a torn end is detected and left out.

import binascii
import struct

from micropython import const

# length(1) of boot..payload, crc32(4) of boot..payload, boot(2), seq(2), payload
_HEAD = const(5)
_IDENTITY = const(4)
_FORMAT = ">BIHH"
FRAME = const(9)
PAYLOAD_MAX = const(200)
RECORD_MAX = const(209)


def pack(boot, seq, payload):
    body = boot.to_bytes(2, "big") + seq.to_bytes(2, "big") + payload
    return bytes((len(body),)) + binascii.crc32(body).to_bytes(4, "big") + body


def find(data, at, size):
    # The first whole record at or after `at`, as from unpack(): a damaged record does not affect
    # the others.
    while at + FRAME <= size:
        record = unpack(data, at, size)
        if record is not None:
            return record
        at += 1
    return None


def unpack(data, at, size):
    # (boot, seq, payload, next offset) of the record at `at` in the first `size` bytes of the
    # bytearray `data`; None if there is no whole record. A start does this for each record of a
    # full ledger.
    if at + FRAME > size:
        return None
    length, check, boot, seq = struct.unpack_from(_FORMAT, data, at)
    end = at + _HEAD + length
    if not _IDENTITY <= length <= _IDENTITY + PAYLOAD_MAX or end > size:
        return None
    if binascii.crc32(memoryview(data)[at + _HEAD : end]) != check:
        return None
    return boot, seq, bytes(data[at + FRAME : end]), end
