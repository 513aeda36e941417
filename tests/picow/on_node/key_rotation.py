# SPDX-License-Identifier: MIT
# A key rotation on the board's own flash, followed by all its scrubbing at once. Prints the times.
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
    start = ticks_us()
    assert ratchet.step(T0_MS + day * DAY_MS)
    print("us rotation", ticks_diff(ticks_us(), start))
    count = total = worst = 0
    while ratchet.left != 0:
        start = ticks_us()
        ratchet.scrub()
        took = ticks_diff(ticks_us(), start)
        count += 1
        total += took
        worst = max(worst, took)
    print("us scrub places=%d mean=%d worst=%d" % (count, total // count, worst))
    assert not ratchet.faults
print("epoch", Ratchet("state", None).epoch)
