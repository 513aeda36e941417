# SPDX-License-Identifier: MIT
"""The hardware divider of ours beside the emulator's own."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from rp2040py.sio import DIV_CSR, DIV_QUOTIENT, DIV_REMAINDER, DIV_UDIVIDEND, RPSIO

from sim_hardware.emulated.chip import Sio

WORD = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000]))
# The four registers that are written for a division, quotient and remainder (as an interrupt's end
# restores them), and one that is no part of the divider.
OFFSETS = st.sampled_from([*range(DIV_UDIVIDEND, DIV_REMAINDER + 4, 4), 0x010])


@given(st.lists(st.tuples(OFFSETS, WORD), max_size=12))
def test_divider_of_ours_gives_what_the_emulators_own_gives(writes):
    stock, ours = (kind(SimpleNamespace(core=SimpleNamespace(cycles=0))) for kind in (RPSIO, Sio))
    for sio in (stock, ours):
        sio.rp2040.gpio = []
    for offset, value in writes:
        for sio in (stock, ours):
            sio.write_uint32(offset, value)
        read = (DIV_CSR, DIV_REMAINDER, DIV_QUOTIENT, DIV_CSR, DIV_UDIVIDEND, DIV_UDIVIDEND + 4)
        # The chip takes the whole part of what is read, as 32 bits.
        was, now = ([int(sio.read_uint32(at)) & 0xFFFFFFFF for at in read] for sio in (stock, ours))
        assert now == was
    assert ours.rp2040.core.cycles == stock.rp2040.core.cycles
