# SPDX-License-Identifier: MIT
# board: the RP2040's converter, free-running into a ring by DMA (RP2040 datasheet 4.9.2.2 to
# 4.9.2.5, 2.5), and the RP2350's (its datasheet 12.4, 12.6), on which it has not been run.

import gc

import machine
import rp2
import uctypes
from micropython import const

# Base of the converter's registers and its DMA request line, by chip: 4.9.6 and 2.5.3.1; 12.4.7 and
# 12.6.4.1.
RP2040 = (0x4004_C000, 36)
RP2350 = (0x400A_0000, 48)

_RAW_HZ = const(4000)
_DIV = (48_000_000 // _RAW_HZ - 1) << 8  # 48 MHz / (1 + INT), 4.9.2.2
# 1 s; a power of two, at an address that is a multiple of it, 2.5.1.1.
_RING_BYTES = const(8192)
_RING_BITS = const(13)
# 4.7 h. Then the second channel restarts the first one, and the ring continues where it was.
# Chaining is this rare because chains have collided with the radio's driver (pico-sdk issue 2206).
_LAP = const(1 << 26)

_CS = const(0x00)
_FCS = const(0x08)
_FIFO = const(0x0C)
_DIVIDER = const(0x10)
_XOR = const(0x1000)  # writes there toggle bits, 2.1.2
_EN = const(1)
_START_MANY = const(1 << 3)
_READY = const(1 << 8)
_AINSEL_SHIFT = const(12)
# DMA request at each reading; overflow and underflow flags cleared.
_FCS_BITS = const(1 << 24 | 1 << 11 | 1 << 10 | 1 << 3 | 1)
_FCS_EMPTY = const(1 << 8)
_DMA = const(0x5000_0000)
_COUNT_TRIG = const(0x1C)  # AL1_TRANS_COUNT_TRIG: a write starts the channel
_HALF_WORDS = const(1)
_TRIES = const(8)
_HOLES = const(16)


def aligned(size):
    # A buffer of `size` bytes at a multiple of `size`. The allocator is first fit: after a pad that
    # ends at such a multiple, the next buffer is aligned, provided that small objects find holes
    # and the pad does not. The pad is therefore longer than `size`, not as short as possible. In a
    # fragmented heap, twice the size is allocated.
    pads = []
    try:
        for _ in range(_TRIES):
            gap = _next_gap(size)
            gc.collect()
            pads.append(bytearray(gap + size))
            buffer = bytearray(size)
            if not _gap(buffer, size):
                return buffer
            buffer = None
    except MemoryError:
        pass
    pads = None
    gc.collect()
    buffer = memoryview(bytearray(2 * size))
    gap = _gap(buffer, size)
    return buffer[gap : gap + size]


def _next_gap(size):
    # A separate function, so that nothing keeps references to its objects.
    holes = [bytearray(1) for _ in range(_HOLES)]
    gap = _gap(bytearray(3 * size), size)
    return gap if holes else 0


def _gap(buffer, size):
    # Distance from its address to the next multiple of its size.
    return -uctypes.addressof(buffer) & (size - 1)


def _number(channel):
    # By default a channel chains to itself, which means to none.
    return channel.unpack_ctrl(channel.pack_ctrl())["chain_to"]


class Converter:
    # The converter that ugs.drivers.dma_sampler requires. Channels are those of the ADC.
    # plain_u16() reads the other channel with machine.ADC while this is stopped.

    raw_hz = _RAW_HZ
    lap = _LAP
    readings = _RING_BYTES // 2

    def __init__(self, chip, channel, aside, plain_u16):
        self._base, self._request = chip
        self.ring = None
        self._select = _EN | channel << _AINSEL_SHIFT
        self._change = (channel ^ aside) << _AINSEL_SHIFT
        self._plain_u16 = plain_u16
        self._is_aside = False
        self._count = None  # what the second channel writes
        self._to_ring = self._again = None

    def start(self):
        # machine.ADC has already switched the converter on.
        if self.ring is None:
            self.ring = aligned(_RING_BYTES)
        base, mem32 = self._base, machine.mem32
        mem32[base + _CS] = self._select
        mem32[base + _DIVIDER] = _DIV
        mem32[base + _FCS] = _FCS_BITS
        while not mem32[base + _FCS] & _FCS_EMPTY:
            mem32[base + _FIFO]
        self._is_aside = False
        to_ring, again = self._to_ring, self._again = rp2.DMA(), rp2.DMA()
        self._count = self.lap.to_bytes(4, "little")
        again.config(
            read=self._count,
            write=_DMA + 64 * _number(to_ring) + _COUNT_TRIG,
            count=1,
            ctrl=again.pack_ctrl(inc_read=False, inc_write=False),
        )
        to_ring.config(
            read=base + _FIFO,
            write=self.ring,
            count=self.lap,
            ctrl=to_ring.pack_ctrl(
                size=_HALF_WORDS,
                inc_read=False,
                ring_sel=True,
                ring_size=_RING_BITS,
                treq_sel=self._request,
                chain_to=_number(again),
            ),
            trigger=True,
        )
        mem32[base + _CS] = self._select | _START_MANY

    def stop(self):
        # Before the heap is released: closing a channel does not end its transfers
        # (ports/rp2/rp2_dma.c).
        base, mem32 = self._base, machine.mem32
        mem32[base + _CS] = self._select
        while not mem32[base + _CS] & _READY:
            pass
        for channel in (self._again, self._to_ring):
            # Disable it first, or an abort could start the chain (erratum RP2350-E5).
            channel.ctrl = channel.pack_ctrl(enable=False)
            channel.active(False)
            channel.close()
        mem32[base + _FCS] = 0

    def transfers(self):
        # By the count, because the address may be ahead (erratum RP2040-E12).
        return -self._to_ring.count & (self.lap - 1)

    def turn(self, is_aside):
        if is_aside != self._is_aside:
            self._is_aside = is_aside
            machine.mem32[self._base + _XOR + _CS] = self._change

    def read_aside(self):
        return self._plain_u16() >> 4
