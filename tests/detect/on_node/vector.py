# SPDX-License-Identifier: MIT
# Prints what the detector makes of a fixed integer signal: noise, then steps, then noise again.

from array import array

import ugs
from ugs.detect.detector import Detector

with open(ugs.__file__.rsplit("/", 1)[0] + "/model.bin", "rb") as file:
    MODEL = file.read()
ring = array("i", [0] * 1024)
detector = Detector(3584, MODEL)
seed = 12345
count = 0
for block in range(8 * 70):
    for i in range(32):
        seed = (seed * 69069 + 1) & 0x3FFFFFFF
        x = ((seed >> 12) & 255) + ((seed >> 20) & 255) - 255
        x = x // 30 + 700  # an offset, as a real amplifier has
        at = (count + i) % 138
        if 3500 < count < 9000 and at < 7:
            x += 90 if at & 1 else -90
        if 11000 < count < 11032:
            x = 131071 if at & 1 else -131071
        ring[(count + i) & 1023] = x
    if block in (160, 164):
        detector.pir_edge(count * 4, 1 if block == 160 else 0)
    if detector.feed(ring, count & 1023, (count + 31) * 4):
        report = detector.report
        print(
            "report",
            block,
            report.phase,
            report.onset_ms,
            report.class_id,
            report.confidence_pct,
            report.peak_um_s_x100,
            report.cadence_hz_x20,
            report.pir_count,
            report.elapsed_s_x10,
        )
    count += 32
    if block % 8 == 0:
        print(block, detector.floor_um_s_x100, *detector.insight())
        print(*detector.features.values)
