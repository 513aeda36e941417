# SPDX-License-Identifier: MIT
"""The boards' analogue front ends: component values, damping of the coil, aliases."""

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
from sim_hardware.parts.front_end import BOARDS
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
# The same of the ESP32-S3's board as its node has it; it looks as often as the pump does.
ESP32_S3 = f"""
import json, sys, time
sys.path.insert(0, {str(FIRMWARE)!r})
from boards.esp32_s3.board import make_board
class Config:
    is_wired = True
    pir = False
sampler = make_board(Config).sampler
sampler.start()
while sampler.written < 1500:
    time.sleep_ms(100)
    sampler.keep_time()
sampler.stop()
for at in range(500, 1500, 50):
    print("counts", json.dumps([sampler.ring[i & 1023] for i in range(at, at + 50)]))
"""


def tone(
    f_hz: float, seconds: float = 10.0, fs_hz: float = 1000.0, amplitude: float = 20e-6
) -> Take:
    t_s = np.arange(round(fs_hz * seconds)) / fs_hz
    velocity = (amplitude * np.sin(2 * np.pi * f_hz * t_s)).astype(np.float32)
    site = Site("north", (NodeSpec("n01", 0.0, 0.0, "all"),))
    return Take(site, {"n01": Signal(fs_hz, velocity_m_s=velocity)})


def strongest(
    given: Take,
    tree: dict[str, Path],
    interpreter: Path,
    nm_s_per_count: float = NM_S_PER_COUNT,
    **more: Any,
) -> tuple[float, float]:
    """Frequency and amplitude (m/s) of the strongest line in what the node's converter gave."""
    pace = Pace(lead_s=1.0, settle_s=0.5)
    run = simulate(given, tree, micropython=interpreter, pace=pace, **more)
    lines = [line for line in run.logs["n01"].lines if line.startswith("counts")]
    counts = np.concatenate([json.loads(line.removeprefix("counts ")) for line in lines])
    spectrum = np.abs(np.fft.rfft((counts - counts.mean()) * np.hanning(counts.size)))
    at = int(spectrum.argmax())
    return at * 250 / counts.size, float(spectrum[at]) * 4 / counts.size * nm_s_per_count * 1e-9


@pytest.mark.parametrize("f_hz", [155.0, 200.0, 240.0])
def test_tone_above_half_the_sample_rate_is_gone_before_the_detector(
    f_hz: float, micropython: Path, make_trees: Callable[[str, int], dict[str, Path]]
) -> None:
    tree = make_trees(SAMPLER, 1)
    given = tone(f_hz, amplitude=80e-6)
    at_hz, real = strongest(given, tree, micropython, analogue=True)
    # The filter takes 64 dB. What the RC of 159 Hz takes before that is not counted here.
    assert real < 80e-6 * 10 ** (-64 / 20) or abs(at_hz - (250 - f_hz)) > 1


@pytest.fixture
def esp32_s3(make_trees: Callable[[str, int], dict[str, Path]]) -> dict[str, Path]:
    """A tree that samples as an ESP32-S3 with its ADS1220."""
    tree = make_trees(ESP32_S3, 1)
    (tree["n01"] / "node.json").write_text('{"site": "north", "node": "n01", "board": "esp32_s3"}')
    return tree


def seen_by_ads1220(given: Take, tree: dict[str, Path], interpreter: Path) -> tuple[float, float]:
    """Frequency and amplitude (m/s) of the strongest line in the ring of an ESP32-S3."""
    scale = BOARDS["esp32_s3"].nm_s_per_count()
    return strongest(given, tree, interpreter, scale, analogue=True)


@pytest.mark.parametrize(
    ("f_hz", "folded_hz"), [(155.0, 95.0), (240.0, 10.0), (310.0, 60.0), (460.0, 40.0)]
)
def test_tone_that_the_ads1220_gives_on_is_gone_before_the_detector(
    f_hz: float, folded_hz: float, micropython: Path, esp32_s3: dict[str, Path]
) -> None:
    step_hz, step = seen_by_ads1220(tone(30.0, amplitude=400e-6), esp32_s3, micropython)
    assert step_hz == pytest.approx(30.0, abs=0.3)
    # 10 Hz and a damping of 0.60: 3 % more at 30 Hz, and the mean of 1 ms takes 1 %.
    assert step == pytest.approx(400e-6, rel=0.05)
    at_hz, real = seen_by_ads1220(tone(f_hz, amplitude=400e-6), esp32_s3, micropython)
    assert at_hz == pytest.approx(folded_hz, abs=0.3)
    # What the mean over a conversion takes is 0.4 to 3 dB of that.
    assert 20 * np.log10(real / step) < -60


def test_tone_near_the_rate_of_the_ads1220_folds_back_less_by_its_own_filter_only(
    micropython: Path, esp32_s3: dict[str, Path]
) -> None:
    given = tone(960.0, fs_hz=4_000.0, amplitude=400e-6)
    f_hz, real = seen_by_ads1220(given, esp32_s3, micropython)
    assert f_hz == pytest.approx(40.0, abs=0.3)
    # sinc(0.96)
    assert 20 * np.log10(real / 400e-6) == pytest.approx(-27.7, abs=0.3)


def test_tone_just_below_the_converters_rate_folds_back_less_by_the_rc_only(
    micropython: Path, make_trees: Callable[[str, int], dict[str, Path]]
) -> None:
    tree = make_trees(SAMPLER, 1)
    given = tone(3960.0, fs_hz=16_000.0, amplitude=80e-6)
    f_hz, real = strongest(given, tree, micropython, analogue=True)
    # Behind the converter it is an alias at 40 Hz. 1 / sqrt(1 + (3960 / 159.2)^2): 28 dB;
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
