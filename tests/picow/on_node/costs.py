# SPDX-License-Identifier: MIT
# What the board's processor makes of decimator, detector and seal: results, to be equal on every
# machine, and on lines that start with "us " how long they took.
import gc
from array import array
from time import ticks_diff, ticks_us

import ugs
from ugs.detect.detector import Detector
from ugs.dsp import decimate
from ugs.wire import keys, seal

BLOCK = 32
BLOCKS = 320  # 41 s
RING = 1024
STEP = 137  # samples between footfalls: 1.8 per second

with open(ugs.__file__.rsplit("/", 1)[0] + "/model.bin", "rb") as file:
    MODEL = file.read()
ring = array("i", [0] * RING)
detector = Detector(3581, MODEL)
noise = 1
worst = total = 0
for block in range(BLOCKS):
    for i in range(BLOCK):
        at = block * BLOCK + i
        noise = (noise * 1103515245 + 12345) & 0x3FFFFFFF
        value = (noise >> 20) % 41 - 20
        since = at % STEP
        if at > 3000 and since < 40:
            value += (600 - 15 * since) * (1 if (since >> 2) & 1 else -1)
        ring[at % RING] = value
    start = ticks_us()
    is_ready = detector.feed(ring, block * BLOCK, (block + 1) * 128)
    took = ticks_diff(ticks_us(), start)
    total += took
    worst = max(worst, took)
    if is_ready:
        r = detector.report
        print("report", r.phase, r.onset_ms, r.class_id, r.confidence_pct, r.peak_um_s_x100)
print("floor", detector.floor_um_s_x100)
print("us detector mean=%d worst=%d" % (total // BLOCKS, worst))

payload = bytes(range(34))
start = ticks_us()
sealed = seal.seal(bytes(16), bytes(13), seal.up_piv(0, 1, 1), payload, b"topic")
print("us seal mean=%d" % ticks_diff(ticks_us(), start))
print("sealed", "".join("%02x" % octet for octet in sealed))
start = ticks_us()
then = keys.Keys(keys.next_key(bytes(32), 1), bytes(16))
print("us key rotation=%d" % ticks_diff(ticks_us(), start))
readings = array("H", (2222 + (n * 7919 >> 4) % 41 - 20 for n in range(512)))
taps, state = decimate.taps(), decimate.state(511, RING - 1)
start = ticks_us()
clipped = decimate.samples(readings, 0, 0, taps, state, ring, 0, 32)
print("us decimate mean=%d" % (ticks_diff(ticks_us(), start) // 32))
print("decimated", clipped, *[ring[at] for at in range(32)])
print("stepped", "".join("%02x" % octet for octet in then.up_key))
gc.collect()
