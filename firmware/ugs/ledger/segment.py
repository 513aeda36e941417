# SPDX-License-Identifier: MIT
# ledger: records in one segment file, framed so that a torn end is seen and left out.

import binascii

from micropython import const

# length(1) of boot..payload, crc32(4) of boot..payload, boot(2), seq(2), payload
_HEAD = const(5)
_IDENTITY = const(4)
FRAME = const(9)
PAYLOAD_MAX = const(200)
RECORD_MAX = const(209)


def pack(boot, seq, payload):
    body = boot.to_bytes(2, "big") + seq.to_bytes(2, "big") + payload
    return bytes((len(body),)) + binascii.crc32(body).to_bytes(4, "big") + body


def unpack(data, at, size):
    # (boot, seq, payload, next offset) of the record at `at` in the first `size` bytes of the
    # bytearray `data`; None when there is no whole one.
    if at + _HEAD > size:
        return None
    length = data[at]
    end = at + _HEAD + length
    if not _IDENTITY <= length <= _IDENTITY + PAYLOAD_MAX or end > size:
        return None
    body = memoryview(data)[at + _HEAD : end]
    if binascii.crc32(body) != int.from_bytes(data[at + 1 : at + _HEAD], "big"):
        return None
    body = bytes(body)
    return (
        int.from_bytes(body[:2], "big"),
        int.from_bytes(body[2:4], "big"),
        body[_IDENTITY:],
        end,
    )
