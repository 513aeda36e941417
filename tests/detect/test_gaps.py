# SPDX-License-Identifier: MIT
"""Samples that are missing are no quiet: plain noise after a gap stays plain noise."""

from array import array
from pathlib import Path

import numpy as np
import pytest

import ugs
from ugs.detect.detector import Detector

BLOCK, FS_HZ = 32, 250
MODEL = Path(ugs.__path__[0]) / "model.bin"


def onsets(gap_s, is_noted, seed):
    """Of two minutes of noise in which the sampler repeats one sample for `gap_s` at 20 s."""
    detector = Detector(3584, MODEL.read_bytes())
    counts = np.random.default_rng(seed).normal(700, 9, 120 * FS_HZ).astype(int)
    first, size = 20 * FS_HZ, int(gap_s * FS_HZ)
    counts[first : first + size] = counts[first - 1]
    found = 0
    for at in range(0, counts.size - BLOCK + 1, BLOCK):
        if is_noted and at < first + size and at + BLOCK > first:
            detector.note_gap((first + size - at) // BLOCK + 1)
        ring = array("i", counts[at : at + BLOCK].tolist())
        found += detector.feed(ring, 0, at * 4) and detector.report.phase == 1
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_after_a_gap_opens_nothing(seed):
    assert onsets(0.75, True, seed) == 0


def test_the_same_gap_that_is_not_noted_would_open_something():
    assert onsets(0.75, False, 1) == 1
