# SPDX-License-Identifier: MIT
# Board, simulated: the free-running converter of an RP2040 or RP2350 and the DMA channels for its
# readings, as far as a node uses them. A read of a register makes all transfers that are due.

import uctypes

DMA = 0x5000_0000
CHANNELS = 12
PERMANENT = 63
_CS, _FCS, _FIFO, _DIV = 0x00, 0x08, 0x0C, 0x10
_ALIASES = 0x3000  # bits of an address: 1 changes, 2 sets, 3 clears what is written
_START_MANY, _EN = 1 << 3, 1
_READY, _EMPTY, _OVER = 1 << 8, 1 << 8, 1 << 11
_CS_BITS = 0x1F_700F  # that can be written
_FCS_BITS = 0x0F00_000F
_DREQ_EN = 1 << 3
_FIFO_DEPTH = 4
_COUNT_TRIG = 0x1C
_HALF_WORD = 2
_SIZES = (1, 2, 4)


class Layout:
    # Of a chip: where the converter's registers are, its request line of the DMA, and the fields of
    # a channel's control register: shift and bits.

    def __init__(self, adc, request, fields):
        self.adc = adc
        self.request = request
        self.fields = fields


LAYOUTS = {
    # RP2040 datasheet 4.9.6, 2.5.3.1 and 2.5.7.
    "RP2040": Layout(
        0x4004_C000,
        36,
        {
            "enable": (0, 1),
            "high_pri": (1, 1),
            "size": (2, 2),
            "inc_read": (4, 1),
            "inc_write": (5, 1),
            "ring_size": (6, 4),
            "ring_sel": (10, 1),
            "chain_to": (11, 4),
            "treq_sel": (15, 6),
            "irq_quiet": (21, 1),
            "bswap": (22, 1),
            "sniff_en": (23, 1),
        },
    ),
    # RP2350 datasheet 12.4.7, 12.6.4.1 and 12.6.10.
    "RP2350": Layout(
        0x400A_0000,
        48,
        {
            "enable": (0, 1),
            "high_pri": (1, 1),
            "size": (2, 2),
            "inc_read": (4, 1),
            "inc_read_rev": (5, 1),
            "inc_write": (6, 1),
            "inc_write_rev": (7, 1),
            "ring_size": (8, 4),
            "ring_sel": (12, 1),
            "chain_to": (13, 4),
            "treq_sel": (17, 6),
            "irq_quiet": (23, 1),
            "bswap": (24, 1),
            "sniff_en": (25, 1),
        },
    ),
}


class Channel:
    # The registers of one channel; addresses are those of memory, or of registers above.

    def __init__(self, number, fields):
        self.number = number
        self._fields = fields
        self.ctrl = number << fields["chain_to"][0]
        self.read = self.write = 0
        self.again = 0  # transfers from the next start on
        self.count = 0  # that are left
        self.is_busy = False

    def field(self, name):
        shift, bits = self._fields[name]
        return self.ctrl >> shift & ((1 << bits) - 1)

    def fills_ring(self):
        # Half words from one place.
        field = self.field
        if field("inc_read") or not field("inc_write") or _SIZES[field("size")] != _HALF_WORD:
            return False
        return field("ring_sel") and field("ring_size")


class Block:
    # now(): microseconds. channels: by converter channel what has code_at(t_us), or None.

    def __init__(self, chip, now, channels):
        self.layout = LAYOUTS[chip]
        self._adc = self.layout.adc
        self._now = now
        self._inputs = channels
        self.dma = [Channel(number, self.layout.fields) for number in range(CHANNELS)]
        self._cs = self._fcs = self._div = 0
        self._fifo = []
        self._started_us = 0
        self._made = 0  # readings since

    # Registers of the converter ----------------------------------------------------------------

    def peek(self, address):
        self.advance()
        place = address - self._adc & ~_ALIASES
        if place == _CS:
            return self._cs | _READY
        if place == _FCS:
            return self._fcs | len(self._fifo) << 16 | (0 if self._fifo else _EMPTY)
        if place == _FIFO:
            return self._fifo.pop(0) if self._fifo else 0
        if place == _DIV:
            return self._div
        raise ValueError("sim: nothing at address %x" % address)

    def poke(self, address, value):
        self.advance()
        place = address - self._adc & ~_ALIASES
        alias = (address & _ALIASES) >> 12
        if place == _CS:
            cs = _merged(self._cs, value, alias) & _CS_BITS
            if cs & _START_MANY and not self._cs & _START_MANY:
                self._started_us, self._made = self._now(), 0
            self._cs = cs
        elif place == _FCS:
            value = _merged(self._fcs, value, alias)
            self._fcs = value & _FCS_BITS | self._fcs & _OVER & ~value
        elif place == _DIV:
            self._div = _merged(self._div, value, alias)
        else:
            raise ValueError("sim: nothing at address %x" % address)

    def advance(self):
        # Makes all readings that are due by now.
        if not (self._cs & _EN and self._cs & _START_MANY):
            return
        cycles = (self._div >> 8) + 1
        due = (self._now() - self._started_us) * 48 // cycles
        source = self._inputs.get(self._cs >> 12 & 7)
        while self._made < due:
            if self._stream(source, due - self._made, cycles):
                continue
            self._made += 1
            t_us = self._started_us + self._made * cycles // 48
            self._push(source.code_at(t_us) if source else 0)

    def _stream(self, source, count, cycles):
        # Readings that go only from the FIFO to a ring in memory, all but the last of a
        # channel at once: one by one they leave more garbage on the node's heap in 100 ms than the
        # node makes in a second. False where there are none.
        channel = self._served()
        if channel is None or cycles % 48 or self._fifo or not self._fcs & 1:
            return False
        count = min(count, channel.count - 1)
        if count < 1 or channel.read != self._adc + _FIFO or not channel.fills_ring():
            return False
        mask = (1 << channel.field("ring_size")) - 1
        place = channel.write & mask
        memory = uctypes.bytearray_at(channel.write & ~mask, mask + 1)
        step_us = cycles // 48
        t_us = self._started_us + self._made * step_us
        for _ in range(count):
            t_us += step_us
            code = source.code_at(t_us) if source else 0
            memory[place] = code & 0xFF
            memory[place + 1] = code >> 8
            place = (place + _HALF_WORD) & mask
        self._made += count
        channel.count -= count
        channel.write = channel.write & ~mask | place
        return True

    def _push(self, code):
        if not self._fcs & 1:
            return
        if len(self._fifo) == _FIFO_DEPTH:
            self._fcs |= _OVER
            return
        self._fifo.append(code)
        while self._fifo and self._serve():
            pass

    # DMA ---------------------------------------------------------------------------------------

    def start(self, channel):
        if not channel.ctrl & 1 or channel.is_busy:
            return
        channel.is_busy = True
        channel.count = channel.again
        if channel.field("treq_sel") == PERMANENT:
            while channel.is_busy:
                self._transfer(channel)
        else:
            while self._fifo and self._serve():
                pass

    def _serve(self):
        # Passes one reading to the channel that waits for it.
        channel = self._served()
        if channel is not None:
            self._transfer(channel)
        return channel is not None

    def _served(self):
        # The channel that waits for readings, or None.
        if self._fcs & _DREQ_EN:
            for channel in self.dma:
                if channel.is_busy and channel.ctrl & 1:
                    if channel.field("treq_sel") == self.layout.request:
                        return channel
        return None

    def _transfer(self, channel):
        size = _SIZES[channel.field("size")]
        self._store(channel.write, self._load(channel.read, size), size)
        if channel.field("inc_read"):
            channel.read = _next(channel, channel.read, size, 0)
        if channel.field("inc_write"):
            channel.write = _next(channel, channel.write, size, 1)
        channel.count -= 1
        if not channel.count:
            channel.is_busy = False
            after = channel.field("chain_to")
            if after != channel.number:
                self.start(self.dma[after])

    def _load(self, address, size):
        if address == self._adc + _FIFO:
            return self._fifo.pop(0) if self._fifo else 0
        return int.from_bytes(uctypes.bytearray_at(address, size), "little")

    def _store(self, address, value, size):
        place = address - DMA
        if 0 <= place < 64 * CHANNELS:
            if place & 63 != _COUNT_TRIG or size != 4:
                raise ValueError("sim: DMA writes to register %x" % address)
            channel = self.dma[place >> 6]
            channel.again = value
            self.start(channel)
            return
        memory = uctypes.bytearray_at(address, size)
        memory[0] = value & 0xFF
        if size == _HALF_WORD:
            memory[1] = value >> 8
        elif size > _HALF_WORD:
            raise ValueError("sim: DMA writes words to memory")


def _merged(old, value, alias):
    if alias == 1:
        return old ^ value
    if alias == 2:
        return old | value
    return old & ~value if alias else value


def _next(channel, address, size, side):
    bits = channel.field("ring_size")
    if not bits or channel.field("ring_sel") != side:
        return address + size
    mask = (1 << bits) - 1
    return address & ~mask | address + size & mask
