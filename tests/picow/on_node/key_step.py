# SPDX-License-Identifier: MIT
# A key step on the board's own flash, with all the scrubbing after it at once. Prints what it took.
import os
from time import ticks_diff, ticks_us

from ugs.ratchet import Ratchet

KEY = bytes(range(32))
DAY_MS = 86_400_000
T0_MS = 1_800_000_000_000

if "state" not in os.listdir():
    os.mkdir("state")
with open("node.json", "w") as file:
    file.write('{"key": "%s", "node": "n07"}' % KEY.hex())
first = Ratchet("state", KEY)
assert not first.step(T0_MS)
for day in (1, 2):
    ratchet = Ratchet("state", KEY if day == 1 else None)
    began = ticks_us()
    assert ratchet.step(T0_MS + day * DAY_MS)
    print("us step", ticks_diff(ticks_us(), began))
    count = total = worst = 0
    while ratchet.left != 0:
        began = ticks_us()
        ratchet.scrub()
        took = ticks_diff(ticks_us(), began)
        count += 1
        total += took
        worst = max(worst, took)
    print("us scrub places=%d mean=%d worst=%d" % (count, total // count, worst))
    assert not ratchet.faults
print("epoch", Ratchet("state", None).epoch)
