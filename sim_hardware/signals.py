# SPDX-License-Identifier: MIT
"""Ground layer: the record of one geophone, and uncalibrated counts as ground velocity."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sim_hardware.errors import SimError

FArray = NDArray[np.float32]

# The nodes sample at 250 Hz; the resampling filter stands for the amplifier's low-pass.
FEED_FS_HZ = 250
AMBIENT_NM_S = 100.0
SAMPLES_MAX = 100_000_000
FS_MIN_HZ = 20.0
FS_MAX_HZ = 100_000.0
_BAND_HZ = (8.0, 60.0)
_QUIET_PERCENTILE = 20.0
# A recording with a larger share of gaps is refused.
GAP_SHARE_MAX = 0.1
GAPS = "gaps of more than a tenth of the recording; cut it into parts"
_LATEST_UTC_S = 4_102_444_800  # 2100-01-01


def _no_edges() -> NDArray[np.float64]:
    return np.zeros(0, np.float64)


@dataclass(frozen=True, eq=False)
class Signal:
    """One node's record from `t0_utc_s` on: velocity_m_s, or counts and perhaps their scale.

    velocity_m_s: float32 (n,), vertical ground velocity at the geophone. counts: int32 (n,), raw;
    counts_per_m_s where known. pir_edges_s: float64, rising; the PIR output toggles, starting low.
    """

    fs_hz: float
    t0_utc_s: float = 0.0
    velocity_m_s: FArray | None = None
    counts: NDArray[np.int32] | None = None
    counts_per_m_s: float | None = None
    pir_edges_s: NDArray[np.float64] = field(default_factory=_no_edges)

    def __post_init__(self) -> None:
        """Raise SimError for a record that no instrument can make."""
        if (self.velocity_m_s is None) == (self.counts is None):
            raise SimError("a signal needs velocity_m_s or counts, one of them")
        data = self.velocity_m_s if self.velocity_m_s is not None else self.counts
        assert data is not None
        if not FS_MIN_HZ <= self.fs_hz <= FS_MAX_HZ:
            raise SimError(f"fs_hz {self.fs_hz:g} is outside {FS_MIN_HZ:g}..{FS_MAX_HZ:g}")
        if data.ndim != 1 or not self.fs_hz <= data.size <= SAMPLES_MAX:
            raise SimError(f"a signal must be 1 s..{SAMPLES_MAX} samples long, not {data.shape}")
        if not np.isfinite(data).all():
            raise SimError("the signal holds NaN or infinite samples")
        if self.counts_per_m_s is not None and not 0 < abs(self.counts_per_m_s) < 1e18:
            raise SimError(f"counts_per_m_s {self.counts_per_m_s:g} is no scale")
        edges = self.pir_edges_s
        if edges.ndim != 1 or not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
            raise SimError("pir_edges_s must be rising finite times")

    @property
    def duration_s(self) -> float:
        """Length of the record."""
        data = self.velocity_m_s if self.velocity_m_s is not None else self.counts
        assert data is not None
        return data.size / self.fs_hz

    def velocity(self, ambient_nm_s: float = AMBIENT_NM_S) -> FArray:
        """float32 (n,) in m/s. Counts without a scale are scaled by their quiet floor."""
        if self.velocity_m_s is not None:
            return self.velocity_m_s
        assert self.counts is not None
        centred = self.counts - np.mean(self.counts)
        if self.counts_per_m_s is not None:
            return (centred / self.counts_per_m_s).astype(np.float32)
        floor = quiet_floor(centred, self.fs_hz)
        if floor == 0.0:
            return np.zeros(centred.size, np.float32)
        return (centred * (ambient_nm_s * 1e-9 / floor)).astype(np.float32)


def quiet_floor(data: NDArray[np.floating] | NDArray[np.integer], fs_hz: float) -> float:
    """The 20th percentile of the rms of whole seconds in 8..60 Hz, in the unit of `data`.

    Seconds without variation are left out, because no instrument is without noise.
    """
    from scipy import signal as dsp  # an extra: a recording at the cable does without it

    high_hz = min(_BAND_HZ[1], 0.45 * fs_hz)
    sos = dsp.butter(2, (_BAND_HZ[0], high_hz), "bandpass", fs=fs_hz, output="sos")
    band = dsp.sosfilt(sos, np.asarray(data, np.float64))
    second = int(fs_hz)
    # The filter rings in the first second; a record of one second has nothing else.
    rows = band[: band.size // second * second].reshape(-1, second)
    rows = rows[1:] if len(rows) > 1 else rows
    rms = np.sqrt(np.mean(rows**2, axis=1))
    alive = rms[rms > 1e-9 * (np.max(np.abs(data)) + 1e-30)]
    return float(np.percentile(alive, _QUIET_PERCENTILE)) if alive.size else 0.0


def as_counts(data: NDArray[np.float64]) -> NDArray[np.int32]:
    """Whole numbers as they are. Others have a unit of their own and are scaled by their floor
    later, so that all that matters is that rounding does not show."""
    peak = float(np.max(np.abs(data)))
    if np.array_equal(data, np.rint(data)) and peak < 2**31:
        return data.astype(np.int32)
    return np.rint(data * (1e9 / peak)).astype(np.int32) if peak else data.astype(np.int32)


def bridged(data: NDArray[np.float64], fs_hz: float) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Samples that are not finite are gaps: with straight lines across them, and a note of it.

    Raises SimError where they are more than a tenth.
    """
    gap = ~np.isfinite(data)
    if not gap.any():
        return data, ()
    if gap.sum() > GAP_SHARE_MAX * data.size:
        raise SimError(GAPS)
    line = np.interp(np.flatnonzero(gap), np.flatnonzero(~gap), data[~gap])
    whole = np.array_equal(data[~gap], np.rint(data[~gap]))
    filled = data.copy()
    filled[gap] = np.rint(line) if whole else line
    return filled, (f"gaps of {gap.sum() / fs_hz:.3g} s are bridged by straight lines",)


def is_dated(t0_utc_s: float) -> bool:
    """Whether a node's clock can be there; 0 stands for a record without a date."""
    return 0 < t0_utc_s < _LATEST_UTC_S


def to_feed(velocity_m_s: FArray, fs_hz: float) -> NDArray[np.int32]:
    """Resample to FEED_FS_HZ with an anti-alias filter: int32 nm/s, the input of a node."""
    ratio = Fraction(FEED_FS_HZ / fs_hz).limit_denominator(1000)
    if abs(float(ratio) * fs_hz / FEED_FS_HZ - 1) > 1e-3:
        raise SimError(f"{fs_hz:g} Hz is no ratio of small numbers to {FEED_FS_HZ} Hz")
    nm_s = np.asarray(velocity_m_s, np.float64) * 1e9
    if ratio != 1:
        from scipy import signal as dsp

        nm_s = dsp.resample_poly(nm_s, ratio.numerator, ratio.denominator)
    return quantized(nm_s)


def quantized(nm_s: NDArray[np.float64]) -> NDArray[np.int32]:
    """Round to int32, limited to the range of a feed file (2 m/s)."""
    return np.clip(np.rint(nm_s), -2e9, 2e9).astype(np.int32)


def quiet_ground(
    samples: int, floor_nm_s: float, seed: int, fs_hz: int = FEED_FS_HZ
) -> NDArray[np.int32]:
    """White noise whose rms in 8..60 Hz is `floor_nm_s`: ground before a take."""
    share = (_BAND_HZ[1] - _BAND_HZ[0]) / (fs_hz / 2)
    rng = np.random.default_rng([seed, 9])
    return quantized(rng.normal(0.0, floor_nm_s / share**0.5, samples))
