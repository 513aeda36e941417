# SPDX-License-Identifier: MIT
# One case of keys by half turns of starts, in an empty folder: halves.py CASE; prints "ok" last.

import binascii
import builtins
import os
import struct
import sys

from ugs.ratchet import Ratchet
from ugs.wire import keys

KEY = bytes(range(32))
NEXT = keys.next_key(KEY, 1)
AFTER = keys.next_key(NEXT, 2)
plain_open = builtins.open


def start(half, key=KEY):
    ratchet = Ratchet("state", key)
    ratchet.start(half)
    return ratchet.epoch, ratchet.key


def each_half_turn_has_a_different_key():
    assert [start(half) for half in (0, 0, 1, 1)] == [(0, KEY)] * 2 + [(1, NEXT)] * 2
    assert start(2) == (2, AFTER)
    # The following scrub removes the key from node.json; the derived key stays.
    assert start(2, None) == (2, AFTER)
    assert "scrub.due" in os.listdir()


def key_that_is_new_starts_in_any_half():
    assert start(3) == (0, KEY)
    assert start(4) == (1, NEXT)
    other = bytes(32)
    assert start(4, other) == (0, other)


def record_without_a_half_turn_is_of_the_first_one():
    body = struct.pack(">4sIQ32s16s", keys.check(KEY), 1, 9, NEXT, b"p" * 16)
    with open("state/key", "wb") as file:
        file.write(body + binascii.crc32(body).to_bytes(4, "big"))
    assert start(0) == start(0) == (1, NEXT)
    assert start(1) == start(1) == (2, AFTER)


def flash_that_refuses_leaves_the_former_key_unused():
    start(0)

    def fails(path, mode="r"):
        if "r" not in mode:
            raise OSError(28)
        return plain_open(path, mode)

    builtins.open = fails
    assert start(1) == (1, NEXT)
    assert start(1) == (1, NEXT)
    builtins.open = plain_open
    assert start(1) == (1, NEXT)
    assert start(1) == (1, NEXT)


def daily_rotation_continues_from_it():
    day_ms = 86_400_000
    ratchet = Ratchet("state", KEY)
    ratchet.start(0)
    assert not ratchet.step(day_ms) and ratchet.step(2 * day_ms)
    assert start(0) == (1, NEXT)
    assert start(1) == (2, AFTER)


os.mkdir("state")
with open("node.json", "w") as file:
    file.write("{}")
globals()[sys.argv[1]]()
print("ok")
