# SPDX-License-Identifier: MIT
"""The decimator: its pass band by its taps, and the same on MicroPython to the bit."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drivers import reference
from tests.on_node import FIRMWARE, run_on_node

SCRIPT = Path(__file__).parent / "on_node" / "decimation.py"
MODULE = FIRMWARE / "ugs" / "dsp" / "decimate.py"
SECONDS = 8
BITS = pytest.mark.parametrize("bits", ["micropython", "micropython_i386"])


def of_firmware() -> NDArray[np.int64]:
    """The taps in the node's code, both halves."""
    for node in ast.walk(ast.parse(MODULE.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == "taps":
            given = node.body[0]
            assert isinstance(given, ast.Return) and isinstance(given.value, ast.Call)
            half = ast.literal_eval(given.value.args[1])
            return np.array([*half, *half[::-1]], np.int64)
    raise AssertionError("no taps")


TAPS = of_firmware()


def decibel(gain: reference.Floats) -> reference.Floats:
    return np.asarray(20 * np.log10(gain + 1e-12), np.float64)


def on_node(
    request: pytest.FixtureRequest, bits: str, codes: NDArray[np.uint16], tmp_path: Path
) -> tuple[NDArray[np.int64], int]:
    """All samples, and how many were clipped."""
    path = tmp_path / "codes.u16"
    codes.astype("<u2").tofile(path)
    lines = run_on_node(request.getfixturevalue(bits), SCRIPT, str(path))
    samples = [int(word) for line in lines[:-1] for word in line.split()[1:]]
    return np.array(samples, np.int64), int(lines[-1].split()[1])


def tone(f_hz: float, codes: float = 1000.0) -> NDArray[np.uint16]:
    t_s = np.arange(SECONDS * reference.RAW_HZ) / reference.RAW_HZ
    return np.asarray(np.round(2048 + codes * np.sin(2 * np.pi * f_hz * t_s)), np.uint16)


def test_taps_are_those_of_the_design_and_symmetric() -> None:
    # Another solver may round a tap the other way.
    assert np.abs(TAPS - reference.design()).max() <= 1
    assert TAPS.sum() == reference.UNIT


def test_response_is_flat_to_100_hz_and_nothing_folds_back_there() -> None:
    f_hz = np.arange(0, 2000, 0.25)
    gain = decibel(reference.gain(TAPS, f_hz))
    assert np.abs(gain[f_hz <= 100]).max() < 0.06
    assert gain[f_hz >= 150].max() < -64
    folded_hz = np.abs((f_hz + 125) % 250 - 125)
    assert gain[(f_hz >= 150) & (folded_hz <= 100)].max() < -69
    assert -8.6 < gain[f_hz == 125][0] < -8.2


def test_sum_of_the_taps_stays_within_30_bits() -> None:
    assert np.abs(TAPS).sum() * (1 << 14) < 1 << 29


@BITS
def test_samples_on_micropython_are_those_of_numpy_to_the_bit(
    bits: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    codes = np.concatenate(
        [
            tone(30.0, 2047.0),
            rng.integers(0, 4096, 40_000).astype(np.uint16),
            np.repeat(np.uint16([0, 4095, 1, 4094]), 4000),
        ]
    )
    samples, clipped = on_node(request, bits, codes, tmp_path)
    expected = reference.samples(codes, TAPS)[: samples.size]
    assert samples.size > 5000
    assert np.array_equal(samples, expected)
    at_rail = (codes[: samples.size * 16] % 4095 == 0).reshape(-1, 16).any(axis=1)
    assert clipped == at_rail.sum()


@BITS
def test_steady_code_is_four_times_itself_once_the_filter_has_settled(
    bits: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    codes = np.repeat(np.uint16([2048, 0, 4095, 2222]), 8000)
    samples, _ = on_node(request, bits, codes, tmp_path)
    for at, code in enumerate((2048, 0, 4095)):
        settled = samples[at * 500 + reference.SETTLE : (at + 1) * 500]
        assert set(settled.tolist()) == {4 * code - 8192}


@pytest.mark.parametrize(
    ("f_hz", "folded_hz", "most_db"),
    [
        (150, 100, -64),
        (180, 70, -64),
        (210, 40, -64),
        (240, 10, -64),
        (460, 40, -64),
        (1960, 40, -64),
    ],
)
def test_tone_above_half_the_sample_rate_is_gone_before_it_folds(
    f_hz: float, folded_hz: float, most_db: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    # A little off, so that it does not fall on one phase of the codes.
    samples, _ = on_node(request, "micropython", tone(f_hz + 0.125, 2000.0), tmp_path)
    seen = samples[reference.SETTLE :][: 250 * (SECONDS - 1)].astype(np.float64)
    spectrum = np.abs(np.fft.rfft((seen - seen.mean()) * np.hanning(seen.size))) * 4 / seen.size
    place = np.fft.rfftfreq(seen.size, 1 / 250)
    near = np.abs(place - folded_hz) < 1
    assert 20 * np.log10(spectrum[near].max() / 8000.0) < most_db


def test_filter_delays_by_what_the_time_stamp_takes_off() -> None:
    # A burst around one reading comes out around the sample whose time that is.
    t = np.arange(8 * 4000)
    centre = 4 * 4000
    burst = np.exp(-(((t - centre) / 400.0) ** 2)) * np.cos(2 * np.pi * 30 * (t - centre) / 4000)
    seen = reference.samples(np.round(2048 + 1500 * burst).astype(np.int64), TAPS)
    # Sample n has seen the readings up to 16 n + 15.
    taken_at = 16 * np.arange(seen.size) + 15 - reference.DELAY
    expected = 6000 * np.exp(-(((taken_at - centre) / 400.0) ** 2))
    expected *= np.cos(2 * np.pi * 30 * (taken_at - centre) / 4000)
    settled = slice(reference.SETTLE, None)
    assert np.abs(seen[settled] - expected[settled]).max() < 50


def test_noise_of_the_converter_loses_two_bits() -> None:
    codes = np.random.default_rng(2).normal(2222.0, 1.0, 400_000)
    seen = reference.samples(np.round(codes).astype(np.int64), TAPS)[reference.SETTLE :]
    # Of one reading 1.04 codes with rounding; 4.2 counts before, 1.0 after: 2.0 bits.
    assert seen.std() / 4 == pytest.approx(1.04 * 0.242, rel=0.06)
    assert np.log2(1.04 / (seen.std() / 4)) > 1.9
