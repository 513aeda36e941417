# SPDX-License-Identifier: MIT
# Cuts the power at every operation on a littlefs flash, tears the operation, and boots again.
# Usage: power_cut.py FIRST STEP; prints "cuts N".

import gc
import os
import sys

import vfs
from nor_flash import BLOCK, BLOCKS, Flash, format_flash, lfs

from ugs.ledger.journal import Journal

DETECTION = {
    "phase": 1,
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}


def record(journal, t_ms):
    return journal.record("detection", dict(DETECTION, t_ms=t_ms))


def prepare():
    # A ledger about to drop its oldest segment, with some receipts.
    image = bytearray(b"\xff" * (BLOCK * BLOCKS))
    flash = Flash(image)
    format_flash(flash)
    vfs.mount(lfs(flash), "/flash")
    journal = Journal("/flash/state")
    journal.open()
    for i in range(20 * 64 - 2):
        assert record(journal, i)[2]
    vfs.umount("/flash")
    return image, journal.boot


def work(flash, promised):
    # One boot of a node; the records in `promised` survive even when the flash dies.
    journal = Journal("/flash/state")
    journal.open()
    promised["boots"].append(journal.boot)
    for i in range(30):
        boot, seq, on_flash = record(journal, 5000 + i)
        if on_flash:
            promised["kept"][(boot, seq)] = 5000 + i
        if i % 10 == 9:
            promised["received"] += 130
            journal.ledger.receipt(1, promised["received"])
            journal.ledger.trim()
        if flash.is_dead():
            return


def check(journal, promised):
    assert journal.boot > max(promised["boots"]), ("boot reused", journal.boot, promised["boots"])
    held = {}
    position = (0, 0)
    while True:
        message = journal.ledger.after(position)
        if message is None:
            break
        position = message[:2]
        held[position] = message[2]
    for identity in promised["kept"]:
        assert identity in held, ("lost", identity)
    # The first segment may have been dropped to make room, the second one received.
    for seq in range(max(promised["received"], 64) + 1, 20 * 64 - 1):
        assert (1, seq) in held, ("lost", seq)
    for boot, _seq in held:
        assert boot <= journal.boot


def boot_and_work(flash, promised):
    try:
        vfs.mount(lfs(flash), "/flash")
    except OSError:
        return
    try:
        work(flash, promised)
    except OSError:
        pass
    vfs.umount("/flash")


def run_cut(image, boot, cut, torn_pct):
    flash = Flash(bytearray(image), cut, torn_pct)
    promised = {"boots": [boot], "kept": {}, "received": 0}
    boot_and_work(flash, promised)
    was_cut = flash.is_dead()
    # Power is back, the cells are the same; a weak battery cuts it once more, early.
    flash = Flash(flash.image, cut % 5, torn_pct)
    boot_and_work(flash, promised)
    flash = Flash(flash.image)
    vfs.mount(lfs(flash), "/flash")
    journal = Journal("/flash/state")
    journal.open()
    check(journal, promised)
    vfs.umount("/flash")
    return was_cut


def main():
    cut, step = int(sys.argv[1]), int(sys.argv[2])
    image, boot = prepare()
    cuts = 0
    while True:
        hit = 0
        for torn_pct in (0, 50, 99):
            hit += run_cut(image, boot, cut, torn_pct)
        gc.collect()
        if not hit:
            break
        cuts += hit
        cut += step
    print("cuts", cuts)


os.chdir("/")
main()
