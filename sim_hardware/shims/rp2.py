# SPDX-License-Identifier: MIT
# Board, simulated: rp2.DMA as MicroPython 1.25 has it (ports/rp2/rp2_dma.c), on a board whose
# converter is simulated reading by reading.

import simhardware

if simhardware.adc_block is None:
    raise ImportError("no module named 'rp2'")

import errno

import uctypes

_claimed = set()
_FIELDS = simhardware.adc_block.layout.fields
# Of a fresh channel: quiet, unpaced, both addresses rise, words, enabled.
_DEFAULT = {"irq_quiet": 1, "treq_sel": 63, "inc_write": 1, "inc_read": 1, "size": 2, "enable": 1}


class DMA:
    def __init__(self):
        for channel in simhardware.adc_block.dma:
            if channel.number not in _claimed:
                _claimed.add(channel.number)
                self._channel = channel
                self._held = {}  # buffers that addresses are of
                return
        raise OSError(errno.EBUSY)

    def config(self, *, read=None, write=None, count=None, ctrl=None, trigger=False):
        self._open()
        simhardware.adc_block.advance()
        channel = self._channel
        if read is not None:
            channel.read = self._address("read", read)
        if write is not None:
            channel.write = self._address("write", write)
        if count is not None:
            channel.again = count
        if ctrl is not None:
            channel.ctrl = ctrl
            self._check_ring()
        if trigger:
            simhardware.adc_block.start(channel)

    def pack_ctrl(self, *, default=None, **fields):
        value, chosen = default, {}
        if default is None:
            value, chosen = 0, dict(_DEFAULT, chain_to=self._channel.number)
        chosen.update(fields)
        for name, given in chosen.items():
            shift, bits = _FIELDS[name]
            if int(given) >> bits:
                raise ValueError("bad field value")
            value = value & ~((1 << bits) - 1 << shift) | int(given) << shift
        return value

    @staticmethod
    def unpack_ctrl(value):
        fields = {}
        for name, (shift, bits) in _FIELDS.items():
            fields[name] = value >> shift & ((1 << bits) - 1)
        return fields

    def active(self, value=None):
        self._open()
        simhardware.adc_block.advance()
        if value:
            simhardware.adc_block.start(self._channel)
        elif value is not None:
            self._channel.is_busy = False
        return self._channel.is_busy

    def close(self):
        # A transfer under way continues.
        if self._channel is not None:
            _claimed.discard(self._channel.number)
            self._channel = None

    @property
    def count(self):
        self._open()
        simhardware.adc_block.advance()
        return self._channel.count

    @count.setter
    def count(self, value):
        self.config(count=value)

    @property
    def ctrl(self):
        self._open()
        return self._channel.ctrl

    @ctrl.setter
    def ctrl(self, value):
        self.config(ctrl=value)

    def _open(self):
        if self._channel is None:
            raise ValueError("channel closed")

    def _address(self, name, given):
        if isinstance(given, int):
            self._held.pop(name, None)
            return given
        self._held[name] = given
        return uctypes.addressof(given)

    def _check_ring(self):
        # On a board it writes into what else lies there.
        channel, buffer = self._channel, self._held.get("write")
        bits = channel.field("ring_size")
        if buffer is None or not bits or not channel.field("ring_sel"):
            return
        begin = channel.write & ~((1 << bits) - 1)
        first = uctypes.addressof(buffer)
        if begin < first or begin + (1 << bits) > first + len(buffer):
            raise ValueError("sim: DMA would write beside its ring")
