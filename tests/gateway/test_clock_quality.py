# SPDX-License-Identifier: MIT
"""Clock quality: from the real kernel, and from made-up answers of it."""

from __future__ import annotations

import ctypes
import shutil
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.service.clock_quality import ClockQuality, parse_timex, read_clock_quality

# <sys/timex.h>: modes, offset, freq, maxerror, esterror, status; native sizes and padding.
HEAD = struct.Struct("@I4li")
STA_PLL, STA_UNSYNC, STA_CLOCKERR, STA_NANO = 0x0001, 0x0040, 0x1000, 0x2000
KERNEL = "kernel (adjtimex)"


def timex(status: int, max_error_us: int) -> bytes:
    return HEAD.pack(0, 12, -345, max_error_us, 6, status) + bytes(160)


def test_clock_set_by_a_time_service_states_its_error_in_milliseconds() -> None:
    assert parse_timex(timex(STA_PLL | STA_NANO, 24_500)) == ClockQuality(True, 24.5, KERNEL)


def test_clock_kept_by_chrony_without_rtcsync_counts_as_synchronised() -> None:
    assert parse_timex(timex(STA_UNSYNC, 24_500)) == ClockQuality(True, 24.5, KERNEL)


@pytest.mark.parametrize(
    ("status", "max_error_us"),
    [(STA_UNSYNC, 16_000_000), (STA_PLL, 16_000_000), (STA_CLOCKERR, 500), (STA_PLL, -1)],
)
def test_clock_that_no_time_service_sets_states_no_error(status: int, max_error_us: int) -> None:
    assert parse_timex(timex(status, max_error_us)) == ClockQuality(False, None, KERNEL)


def test_timex_that_is_too_short_is_unknown() -> None:
    assert parse_timex(b"\0" * 20).synchronised is None


@given(st.binary(max_size=300))
def test_timex_of_any_bytes_is_read_without_an_error(raw: bytes) -> None:
    quality = parse_timex(raw)
    assert (quality.max_error_ms is not None) == (quality.synchronised is True)


def test_clock_quality_on_another_system_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert read_clock_quality() == ClockQuality(None, None, "not known on darwin")


@pytest.mark.parametrize(
    ("quality", "part"),
    [
        (ClockQuality(True, 24.5, KERNEL), "24 ms"),
        (ClockQuality(False, None, KERNEL), "no time service"),
        (ClockQuality(None, None, "not known on darwin"), "darwin"),
    ],
)
def test_clock_quality_as_text_states_error_or_reason(quality: ClockQuality, part: str) -> None:
    assert part in quality.text


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is of Linux")


@on_linux
def test_clock_quality_of_this_machine_is_that_of_its_kernel() -> None:
    # The same struct by another call and another reader of its layout.
    buffer = ctypes.create_string_buffer(512)
    if ctypes.CDLL(None).clock_adjtime(0, buffer) < 0:  # CLOCK_REALTIME
        pytest.skip("this sandbox forbids clock_adjtime")
    max_error_us, status = HEAD.unpack_from(buffer.raw)[3], HEAD.unpack_from(buffer.raw)[5]
    quality = read_clock_quality()
    assert quality.source == KERNEL
    assert quality.synchronised is (max_error_us < 16_000_000 and not status & STA_CLOCKERR)
    if quality.max_error_ms is not None:
        # It grows by 500 us a second, and starts again when a time service sets the clock.
        assert 0 <= quality.max_error_ms <= max_error_us / 1000 + 5


@on_linux
def test_clock_quality_of_this_machine_is_what_systemd_makes_of_it() -> None:
    show = ("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if shutil.which(show[0]) is None:
        pytest.skip("no timedatectl to compare with")
    shown = subprocess.run(show, capture_output=True, text=True, timeout=10, check=False)
    if shown.returncode:
        pytest.skip("systemd does not run here")
    assert read_clock_quality().synchronised is (shown.stdout.strip() == "yes")
