# SPDX-License-Identifier: MIT
# Watches a file of counts as a node does, a second at a time: watch.py FILE NM_S_X256 OWN
# SHORT CUT CLIP. Prints the seconds watched, then "second fault" for every change.

import sys
from array import array

from ugs.signal_check import SignalCheck


class Samples:
    def __init__(self, clip_counts):
        self.ring = array("i", [0] * 1024)
        self.written = 0
        self.clip_counts = clip_counts


path, scale_x256, own_x16, short, cut, clip = [sys.argv[1]] + [int(word) for word in sys.argv[2:]]
samples = Samples(clip)
check = SignalCheck(samples, scale_x256, (own_x16, short, cut), lambda: False)
buffer = array("i", [0] * 250)
seconds = 0
changes = []
with open(path, "rb") as file:
    while file.readinto(buffer) == 1000:
        for count in buffer:
            samples.ring[samples.written & 1023] = count
            samples.written += 1
        before = check.fault
        check.step()
        seconds += 1
        if check.fault != before:
            changes.append((seconds, check.fault))
print(seconds)
for second, fault in changes:
    print(second, fault)
