# SPDX-License-Identifier: MIT
"""Service: how good the gateway's clock is, as the kernel states it; read only.

Every node takes its time from the gateway, and other systems compare their times with ours: an
error of this clock is in every time on record. On Linux the kernel knows whether a time service
sets the clock and what error it states (adjtimex(2)). Elsewhere the answer is "unknown".
"""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass

# The kernel adds 500 ppm to maxerror and stops here, where it takes the clock for unsynchronised
# (NTP_PHASE_LIMIT); it starts here, and chrony states it while it has no source. STA_UNSYNC is no
# measure: chrony sets it on a clock that it keeps well, unless `rtcsync` is configured, and
# systemd's timedatectl ignores it for that reason.
_UNSYNCHRONISED_US = 16_000_000
_STA_CLOCKERR = 0x1000  # a fault of the clock's hardware
_KERNEL = "kernel (adjtimex)"


@dataclass(frozen=True, slots=True)
class ClockQuality:
    """`synchronised`: whether a time service sets the clock; None: unknown.

    `max_error_ms` is what the time service states, and the kernel's 500 ppm since then; None when
    it is not synchronised or not known. systemd-timesyncd states 0 each time it sets the clock
    (manager_adjust_clock), whatever the network's delay was; chrony and ntpd state their own error.
    `source` is where this comes from, or why it is not known.
    """

    synchronised: bool | None
    max_error_ms: float | None
    source: str

    @property
    def text(self) -> str:
        """One line for people."""
        if self.synchronised is None:
            return f"quality unknown: {self.source}"
        if not self.synchronised:
            return "no time service sets it"
        return f"set by a time service, which states an error of {self.max_error_ms:.0f} ms at most"


class _Timex(ctypes.Structure):
    # The head of struct timex, with the padding of the platform's own `long`.
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
    )


# 208 bytes on 64-bit Linux. The kernel writes all of it, so there is room for it and for more.
_BUFFER_BYTES = 512


def read_clock_quality() -> ClockQuality:
    """Ask the kernel. Never raises."""
    if sys.platform != "linux":
        return ClockQuality(None, None, f"not known on {sys.platform}")
    buffer = ctypes.create_string_buffer(_BUFFER_BYTES)  # zeros: modes = 0 changes nothing
    try:
        library = ctypes.CDLL(None, use_errno=True)
        state = int(library.adjtimex(buffer))
    except (OSError, AttributeError) as error:  # a libc without it
        return ClockQuality(None, None, f"no adjtimex: {error}")
    if state < 0:  # a sandbox forbids it
        return ClockQuality(None, None, f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return parse_timex(buffer.raw)


def parse_timex(raw: bytes) -> ClockQuality:
    """From a struct timex as the kernel filled it. Never raises."""
    if len(raw) < ctypes.sizeof(_Timex):
        return ClockQuality(None, None, f"adjtimex: {len(raw)} bytes are no struct timex")
    timex = _Timex.from_buffer_copy(raw)
    if timex.status & _STA_CLOCKERR or not 0 <= timex.maxerror < _UNSYNCHRONISED_US:
        return ClockQuality(False, None, _KERNEL)
    return ClockQuality(True, timex.maxerror / 1000, _KERNEL)
