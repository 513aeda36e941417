# SPDX-License-Identifier: MIT
# Feeds files of little-endian int32 ADC counts (14 nm/s each); a line per report:
# file, seconds, phase, onset_ms, class, confidence, peak, cadence, pir_count, elapsed.

import sys
from array import array

import ugs
from ugs.detect.detector import Detector

with open(ugs.__file__.rsplit("/", 1)[0] + "/model.bin", "rb") as file:
    MODEL = file.read()
ring = array("i", [0] * 1024)
block = array("i", [0] * 32)
for number, name in enumerate(sys.argv[1:]):
    detector = Detector(3584, MODEL)
    count = 0
    with open(name, "rb") as file:
        while file.readinto(block) == 128:
            at = count & 1023
            ring[at : at + 32] = block
            count += 32
            if detector.feed(ring, at, count * 4):
                report = detector.report
                print(
                    number,
                    count / 250,
                    report.phase,
                    report.onset_ms,
                    report.class_id,
                    report.confidence_pct,
                    report.peak_um_s_x100,
                    report.cadence_hz_x20,
                    report.pir_count,
                    report.elapsed_s_x10,
                )
