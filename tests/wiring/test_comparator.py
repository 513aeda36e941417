# SPDX-License-Identifier: MIT
"""The simulated comparator is the circuit drawn: threshold, band, noise, hysteresis and current."""

from __future__ import annotations

import math

import pytest

from sim_hardware.parts import comparator as part
from sim_hardware.parts.comparator import Comparator
from tools.power.facts import parts as power_parts
from tools.wiring import amplifier, wake

PARTS = wake.table()
FRONT = amplifier.figures(amplifier.table())
OF = wake.figures(PARTS, FRONT)


class Line:
    """A tone at the geophone."""

    def __init__(self, peak_nm_s, hz):
        self._peak_nm_s = peak_nm_s
        self._hz = hz

    def nm_s(self, t_us):
        return round(self._peak_nm_s * math.sin(2e-6 * math.pi * self._hz * t_us))


def _wakes(peak_nm_s, hz, seconds=2):
    part = Comparator(lambda: 0, Line(peak_nm_s, hz), seed=1)
    return part.when(1, 2_000_000, (2 + seconds) * 1_000_000) is not None


def _threshold(hz):
    low, high = 100, 400_000
    while high - low > 20:
        middle = (low + high) // 2
        low, high = (low, middle) if _wakes(middle, hz) else (middle, high)
    return high


@pytest.mark.parametrize("hz", [6.0, 12.0, 20.0, 40.0, 60.0])
def test_threshold_of_the_part_is_that_of_the_circuit(hz):
    gain = abs(wake.response(PARTS, hz)) / OF.gain
    wanted = 1000 * OF.threshold_um_s / gain
    hysteresis = part.HYSTERESIS_NM_S / gain
    # Its noise helps by three times its rms at most.
    noise = 3 * part.NOISE_NM_S / gain
    assert wanted - noise - 100 <= _threshold(hz) <= 1.12 * wanted + hysteresis


def test_motion_slower_than_steps_wakes_nothing():
    assert not _wakes(20_000, 0.3, 10)


def test_still_ground_wakes_nothing_in_ten_minutes():
    assert not _wakes(0, 1, 600)


def test_figures_of_the_part_are_those_of_the_circuit():
    assert pytest.approx(1000 * OF.threshold_um_s, rel=0.02) == part.THRESHOLD_NM_S
    assert pytest.approx(1000 * OF.noise_um_s, rel=0.02) == part.NOISE_NM_S
    # 3.3 mV at the comparator, half of it to either side.
    volt = 3.3e-3 / 2
    assert pytest.approx(1e9 * volt / OF.gain / FRONT.sensitivity, rel=0.02) == (
        part.HYSTERESIS_NM_S
    )
    assert pytest.approx(1000 * power_parts()["wake"].ua.value) == part.CURRENT_NA
