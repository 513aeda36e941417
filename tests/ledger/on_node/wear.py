# SPDX-License-Identifier: MIT
# wear.py BLOCKS STATIC DAYS DETECTIONS REACHED SCRUBS: DAYS of a node's writing on a littlefs of so
# many blocks, STATIC bytes of which are firmware: DETECTIONS a day in walks of twelve reports, with
# a gateway (REACHED 1) or without, and its key rotated and scrubbed each day (SCRUBS 1) or not.
# Prints the erases of all blocks and of the one erased most often, and the scrub's steps in a day.

import os
import sys

import nor_flash
import vfs

from ugs.ledger.journal import Journal
from ugs.ratchet import Ratchet

BLOCKS, STATIC, DAYS, DETECTIONS, REACHED, SCRUBS = [int(text) for text in sys.argv[1:7]]
DAY_MS = 86_400_000
TRIM_MS = 60_000  # ugs.node
REPORTS = 12
REPORT_MS = 5_000
DETECTION = {
    "phase": 2,
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
    "elapsed_s_x10": 50,
}


class Flash(nor_flash.Flash):
    def __init__(self):
        super().__init__(bytearray(b"\xff" * (nor_flash.BLOCK * BLOCKS)))
        self.erases = [0] * BLOCKS

    def ioctl(self, op, arg):
        if op == 6:
            self.erases[arg] += 1
        return BLOCKS if op == 4 else super().ioctl(op, arg)


def write_static():
    # Firmware is static: its blocks are not worn and do not share the wear of others.
    with open("firmware", "wb") as file:
        for _ in range(STATIC // 256):
            file.write(b"\xa5" * 256)
    with open("node.json", "w") as file:
        file.write('{"key": "%s"}' % ("5a" * 32))


def live_through_a_day(journal, ratchet, day):
    steps = last_ms = 0
    walks = DETECTIONS // REPORTS
    for i in range(walks * REPORTS):
        walk, report = divmod(i, REPORTS)
        t_ms = walk * (DAY_MS // walks) + report * REPORT_MS
        if REACHED and t_ms // TRIM_MS != last_ms // TRIM_MS:
            journal.ledger.trim()
        last_ms = t_ms
        boot, seq, is_kept = journal.record("detection", dict(DETECTION, t_ms=t_ms))
        assert is_kept
        if REACHED:
            journal.ledger.receipt(boot, seq)
    if REACHED:
        journal.ledger.trim()
    if SCRUBS:
        ratchet.step((day + 20_000) * DAY_MS)
        while ratchet.left != 0:
            ratchet.scrub()
            steps += 1
    return steps


flash = Flash()
nor_flash.format_flash(flash)
vfs.mount(nor_flash.lfs(flash), "/flash")
os.chdir("/flash")
write_static()
made = Journal("state")
made.open()
keys = Ratchet("state", bytes(range(32)))
if SCRUBS:
    keys.step(19_999 * DAY_MS)
before = list(flash.erases)
scrub_steps = 0
for number in range(DAYS):
    scrub_steps = live_through_a_day(made, keys, number)
worn = [flash.erases[i] - before[i] for i in range(BLOCKS)]
print("erases", sum(worn), max(worn), scrub_steps)
os.chdir("/")
vfs.umount("/flash")
