# SPDX-License-Identifier: MIT
# Feeds quiet, steps and quiet again with the heap locked: any allocation raises MemoryError.

import gc
from array import array

import micropython

import ugs
from ugs.detect.detector import Detector

with open(ugs.__file__.rsplit("/", 1)[0] + "/model.bin", "rb") as file:
    MODEL = file.read()
ring = array("i", [0] * 1024)
detector = Detector(3584, MODEL)


def fill(first, loud):
    global_seed = first * 7919 + 17
    for i in range(1024):
        global_seed = (global_seed * 69069 + 1) & 0x3FFFFFF
        x = ((global_seed >> 8) & 63) - 32
        if loud and (first + i) % 138 < 7:
            x += 200 if i & 1 else -200
        ring[i] = x


def run(first):
    reports = 0
    micropython.heap_lock()
    try:
        for start in range(0, 1024, 32):
            if start & 64:
                detector.pir_edge((first + start) * 4, 1)
            if detector.feed(ring, start, (first + start + 31) * 4):
                reports += 1
    finally:
        micropython.heap_unlock()
    return reports


total = 0
for part in range(16):
    fill(part * 1024, 3 <= part < 9)
    gc.collect()
    total += run(part * 1024)
print(total)
