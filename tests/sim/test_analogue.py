# SPDX-License-Identifier: MIT
"""The boards' analogue front ends: component values, the coil's damping, and what folds back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal as dsp

from sim_hardware.analogue import FRONT_ENDS
from sim_hardware.frontend import NM_S_PER_COUNT_X256
from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, Site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, simulate
from tests.on_node import FIRMWARE

# Samples 1500 times at 250 Hz as the Pico W's board does, and prints the last 1000 counts: by DMA,
# or by a timer where the simulated converter is not read by itself.
SAMPLER = f"""
import json, machine, sys, time
sys.path.insert(0, {str(FIRMWARE)!r})
read = machine.ADC(machine.Pin(26)).read_u16
counts = []
try:
    from boards import rp2_adc as adc
except ImportError:
    def take(_timer):
        counts.append(sum([read() >> 4 for _ in range(4)]) - 8192)
    timer = machine.Timer(-1)
    timer.init(freq=250, callback=take)
    time.sleep(7)
    timer.deinit()
else:
    from ugs.drivers.dma_sampler import DmaSampler
    sampler = DmaSampler(adc.Converter(adc.RP2040, 0, 2, None), 250, 8000)
    sampler.start()
    while sampler.written < 1500:
        time.sleep_ms(100)
        before = sampler.written
        sampler.keep_time()
        counts += [sampler.ring[at & 1023] for at in range(before, sampler.written)]
    sampler.stop()
for at in range(500, 1500, 50):
    print("counts", json.dumps(counts[at : at + 50]))
"""
NM_S_PER_COUNT = NM_S_PER_COUNT_X256 / 256


def tone(
    f_hz: float, seconds: float = 10.0, fs_hz: float = 1000.0, amplitude: float = 20e-6
) -> Take:
    t_s = np.arange(round(fs_hz * seconds)) / fs_hz
    velocity = (amplitude * np.sin(2 * np.pi * f_hz * t_s)).astype(np.float32)
    site = Site("north", (NodeSpec("n01", 0.0, 0.0, "all"),))
    return Take(site, {"n01": Signal(fs_hz, velocity_m_s=velocity)})


def strongest(
    given: Take, tree: dict[str, Path], interpreter: Path, **more: Any
) -> tuple[float, float]:
    """Frequency and amplitude (m/s) of the strongest line in what the node's converter gave."""
    pace = Pace(lead_s=1.0, settle_s=0.5)
    run = simulate(given, tree, micropython=interpreter, pace=pace, **more)
    lines = [line for line in run.logs["n01"].lines if line.startswith("counts")]
    counts = np.concatenate([json.loads(line.removeprefix("counts ")) for line in lines])
    spectrum = np.abs(np.fft.rfft((counts - counts.mean()) * np.hanning(counts.size)))
    at = int(spectrum.argmax())
    return at * 250 / counts.size, float(spectrum[at]) * 4 / counts.size * NM_S_PER_COUNT * 1e-9


@pytest.mark.parametrize("f_hz", [155.0, 200.0, 240.0])
def test_tone_above_half_the_sample_rate_is_gone_before_the_detector(
    f_hz: float, micropython: Path, make_trees: Callable[[str, int], dict[str, Path]]
) -> None:
    tree = make_trees(SAMPLER, 1)
    given = tone(f_hz, amplitude=80e-6)
    at_hz, real = strongest(given, tree, micropython, analogue=True)
    # The filter takes 64 dB. What the RC of 159 Hz takes before that is not counted here.
    assert real < 80e-6 * 10 ** (-64 / 20) or abs(at_hz - (250 - f_hz)) > 1


def test_tone_just_below_the_converters_rate_folds_back_less_by_the_rc_only(
    micropython: Path, make_trees: Callable[[str, int], dict[str, Path]]
) -> None:
    tree = make_trees(SAMPLER, 1)
    given = tone(3960.0, fs_hz=16_000.0, amplitude=80e-6)
    f_hz, real = strongest(given, tree, micropython, analogue=True)
    # No filter behind the converter can tell it from 40 Hz. 1 / sqrt(1 + (3960 / 159.2)^2): 28 dB;
    # the amplifier's own pole, which is not simulated, takes 25 dB more.
    assert f_hz == pytest.approx(40.0, abs=0.3)
    assert 20 * np.log10(real / 80e-6) == pytest.approx(-27.9, abs=0.3)


def test_shunted_coil_gives_less_than_the_ground_at_its_own_frequency(
    micropython: Path, make_trees: Callable[[str, int], dict[str, Path]]
) -> None:
    tree = make_trees(SAMPLER, 1)
    f_hz, real = strongest(tone(10.0), tree, micropython, analogue=True)
    assert f_hz == pytest.approx(10.0, abs=0.3)
    assert real == pytest.approx(20e-6 / (2 * 0.60), rel=0.05)  # damping 0.60 with the shunt


def test_component_values_give_the_figures_of_the_datasheet() -> None:
    pico, esp32 = FRONT_ENDS["pico_w"], FRONT_ENDS["esp32"]
    assert pico.damping == pytest.approx(0.60, abs=0.005)
    assert esp32.damping == pytest.approx(0.60, abs=0.005)
    corner = np.array([159.15])
    assert abs(pico.response(corner)[0]) == pytest.approx(2**-0.5, rel=0.01)
    # The RC of the ESP32 is at 8 kHz; a mean over 1 ms takes 6 % at 200 Hz.
    assert abs(esp32.response(np.array([200.0]))[0]) == pytest.approx(0.935, rel=0.01)


@pytest.mark.parametrize("fs_hz", [250.0, 500.0, 1000.0])
def test_filter_over_an_array_is_that_of_its_formula(fs_hz: float) -> None:
    front = FRONT_ENDS["pico_w"]
    given = tone(30.0, 8.0, fs_hz).signals["n01"].velocity()
    seen = front.pass_on(given, fs_hz)
    assert seen.size == 8 * 4000
    middle = seen[8000:-8000].astype(np.float64)
    gain = np.sqrt(2) * middle.std() / 20e-6
    # An independent construction: the analogue transfer function as scipy evaluates it.
    w0, rc = 2 * np.pi * 10.0, 1e-3
    _, h = dsp.freqs([1, 0, 0], np.polymul([1, 2 * 0.60 * w0, w0**2], [rc, 1]), [2 * np.pi * 30.0])
    assert gain == pytest.approx(abs(h[0]), rel=0.01)
