# SPDX-License-Identifier: MIT
# ledger: the number of each start, written to flash before it is used, so that no counter is used
# twice under one key. It has 32 bits: the upper 16 are the turn, the lower 16 the boot number in
# messages. Boot numbers restart at 1 with the next turn. Each half of a turn has its own keys
# (ugs.ratchet), and no record lives longer than half a turn (docs/wire.md).

import binascii
import os

from micropython import const

# A start gets this number at most; the numbers above are for the blocks of a run
# (ugs.ledger.journal).
START_MAX = const(65_279)
_HALF = const(0x8000)
_LOW = const(0xFFFF)
# Two files written in turn: if power fails during a write, the other file stays whole.
_SLOTS = ("boot0", "boot1")
# And a copy outside the folder. littlefs keeps small files in the log of their folder: one bit flip
# there reverts the folder, with both slots, to an earlier state without any error.
_COPY = "starts"
_CRC = const(4)
# Bytes of the number; 2 before schema version 2.
_SIZES = (4, 2)


class BootsError(Exception):
    # The counters of this turn are used up.
    pass


def is_after(boot, seq, position):
    # Whether a message is later than another, (boot, seq); every message is after (0, 0). Boot
    # numbers compare over half a turn, like serial numbers (RFC 1982).
    ahead = (boot - position[0]) & _LOW
    if not ahead:
        return seq > position[1]
    return ahead < _HALF or not position[0]


def reserve_boot(folder, newest=0, in_run=False, half=None):
    # The next number, stored on flash when this returns. `newest`: boot number of the newest record
    # in the ledger; `in_run`: for a further block of counters; `half`: the half turn of the last
    # start from the record of the key, None if unknown. Raises OSError if flash cannot be written,
    # BootsError if a run has used up its blocks.
    numbers = [_read_slot(folder + "/" + name) for name in _SLOTS]
    damaged = numbers.count(-1)
    number = max(numbers)
    copy = folder[: folder.rfind("/") + 1] + _COPY
    copied = _read_slot(copy)
    if copied > max(0, number):
        # The copy is written last, so it has the number of the last start.
        number, numbers, damaged = copied, [0, 0], 0
    elif damaged == len(_SLOTS) or (not number and half is not None):
        # No number of this half turn is known to be unused. All of the next half are: there the key
        # is rotated. A missing file counts as damaged once the key was in use.
        number = _end_of_half(half or 0, newest)
        numbers, damaged = [0, 0], 0
    elif number > 1 and 0 in numbers:
        damaged += 1  # from the second number on both slots exist: this one was deleted
    # The counter was reset: the ledger has a higher number.
    if not number:
        number = newest
    elif newest and 0 < (newest - number) & _LOW < _HALF:
        number = ((number >> 16) + (newest < number & _LOW)) << 16 | newest
    # A damaged slot may have held the number after the surviving one.
    number += 1 + damaged
    if not in_run and not 0 < number & _LOW <= START_MAX:
        number = ((number - 1 >> 16) + 1) << 16 | 1
    if not number & _LOW:
        raise BootsError("all blocks of counters of this turn are used; restart the node")
    # Overwrite the damaged slot or the older number, never the newest good one.
    path = folder + "/" + _SLOTS[0 if numbers[0] <= numbers[1] else 1]
    data = number.to_bytes(_SIZES[0], "big")
    for place in (path, copy):
        with open(place, "wb") as file:
            file.write(data + binascii.crc32(data).to_bytes(_CRC, "big"))
        if _read_slot(place) != number:
            raise OSError("boot counter does not read back")
    return number


def _end_of_half(half, newest):
    # The last number of a half turn; of the next half if the newest record is already in it.
    if newest and newest >> 15 != half & 1:
        half += 1
    return (half + 1) * _HALF - 1


def _read_slot(path):
    # The number in the slot, 0 if there is no such file, -1 if it is damaged.
    try:
        os.stat(path)
    except OSError:
        return 0
    try:
        with open(path, "rb") as file:
            data = file.read(16)
    except OSError:
        return -1
    body = data[:-_CRC]
    if len(body) not in _SIZES or data[-_CRC:] != binascii.crc32(body).to_bytes(_CRC, "big"):
        return -1
    if body == b"\xff\xff\xff\xff":
        return -1  # erased flash: its CRC matches
    return int.from_bytes(body, "big")
