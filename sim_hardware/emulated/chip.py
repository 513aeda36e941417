# SPDX-License-Identifier: MIT
"""Replacements for parts of rp2040py 0.3.6 that differ from an RP2040 or are too slow."""

from __future__ import annotations

from rp2040py.peripherals.adc import (
    CS,
    CS_AINSEL_MASK,
    CS_AINSEL_SHIFT,
    CS_EN,
    CS_START_MANY,
    CS_START_ONE,
    CS_WRITE_MASK,
    FCS,
    RPADC,
)
from rp2040py.sio import (
    DIV_CSR,
    DIV_QUOTIENT,
    DIV_REMAINDER,
    DIV_SDIVISOR,
    DIV_UDIVIDEND,
    RPSIO,
)

_SIGNED, _DIVISOR = 8, 4  # bits of a divider register's offset


class Adc(RPADC):
    """Corrects differences from the RP2040 (datasheet 4.9.2, 4.9.6).

    rp2040py selects the next channel of a round robin with the wrong mask (12 for 7). Each write
    to CS starts a reading while START_MANY is set, and START_ONE stays set. DREQ_EN takes effect
    only with the next reading.
    """

    def write_uint32(self, offset: int, value: int) -> None:
        if offset != CS:
            super().write_uint32(offset, value)
            if offset == FCS:
                self._update_dma()
            return
        runs = self.cs & CS_EN and self.cs & CS_START_MANY
        if runs and value & CS_EN and value & CS_START_MANY:
            # The divider sets its rate; a written value takes effect with the next reading.
            self.cs = self.cs & ~CS_WRITE_MASK | value & CS_WRITE_MASK
        else:
            self.multi_shot_alarm.cancel()
            super().write_uint32(offset, value)
        self.cs &= ~CS_START_ONE

    @property
    def _active_channel(self) -> int:
        return int((self.cs >> CS_AINSEL_SHIFT) & CS_AINSEL_MASK)

    @_active_channel.setter
    def _active_channel(self, channel: int) -> None:
        self.cs &= ~(CS_AINSEL_MASK << CS_AINSEL_SHIFT)
        self.cs |= (channel & CS_AINSEL_MASK) << CS_AINSEL_SHIFT


class Sio(RPSIO):
    """Checks for the hardware divider first: a node divides 30,000 times a second, and rp2040py
    passes a chain of comparisons at each access."""

    def read_uint32(self, offset: int) -> int | float:
        if offset == DIV_CSR:
            return self.div_csr
        if offset == DIV_QUOTIENT:
            self.div_csr &= ~0b10
            return self.div_quotient
        if offset == DIV_REMAINDER:
            return self.div_remainder
        return super().read_uint32(offset)

    def write_uint32(self, offset: int, value: int) -> None:
        if DIV_UDIVIDEND <= offset <= DIV_SDIVISOR:
            if offset & _DIVISOR:
                self.div_divisor = value
            else:
                self.div_dividend = value
            self.update_hardware_divider(bool(offset & _SIGNED))
        else:
            super().write_uint32(offset, value)

    def update_hardware_divider(self, signed: bool) -> None:
        if signed or not self.div_divisor:
            super().update_hardware_divider(signed)
            return
        dividend, divisor = self.div_dividend & 0xFFFFFFFF, self.div_divisor & 0xFFFFFFFF
        self.div_quotient, self.div_remainder = divmod(dividend, divisor)
        self.div_csr = 0b11
        self.rp2040.core.cycles += 8
