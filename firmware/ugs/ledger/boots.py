# SPDX-License-Identifier: MIT
# ledger: the boot number, written to flash before it is used, so no counter is ever used twice.

import binascii
import os

BOOT_MAX = 65535
# Two files written in turn: power may fail in either, the other one stays whole.
_SLOTS = ("boot0", "boot1")
_SLOT_BYTES = 6


class BootsError(Exception):
    # The counters cannot go on under this key: the node must be provisioned anew.
    pass


def reserve_boot(folder, highest_used=0):
    # The next boot number, safely on flash when this returns. `highest_used` is the highest one
    # met in the ledger. Raises OSError when flash cannot be written, BootsError at the end of the
    # numbers or when both slots are damaged.
    numbers = [_read_slot(folder + "/" + name) for name in _SLOTS]
    damaged = numbers.count(-1)
    if damaged == len(_SLOTS):
        raise BootsError("both boot counters are damaged; bundle the node with a new key")
    # A damaged slot may have held the number after the one that survived.
    boot = max(max(numbers), highest_used) + 1 + damaged
    if boot > BOOT_MAX:
        raise BootsError("all boot numbers are used; bundle the node with a new key")
    # Overwrite the damaged slot or the older number, never the newest good one.
    path = folder + "/" + _SLOTS[0 if numbers[0] <= numbers[1] else 1]
    number = boot.to_bytes(2, "big")
    with open(path, "wb") as file:
        file.write(number + binascii.crc32(number).to_bytes(4, "big"))
    if _read_slot(path) != boot:
        raise OSError("boot counter does not read back")
    return boot


def _read_slot(path):
    # The number in the slot, 0 when there is no such file, -1 when it is damaged.
    try:
        os.stat(path)
    except OSError:
        return 0
    try:
        with open(path, "rb") as file:
            data = file.read(_SLOT_BYTES + 1)
    except OSError:
        return -1
    number = data[:2]
    if len(data) != _SLOT_BYTES or data[2:] != binascii.crc32(number).to_bytes(4, "big"):
        return -1
    return int.from_bytes(number, "big")
