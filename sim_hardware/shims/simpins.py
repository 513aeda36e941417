# SPDX-License-Identifier: MIT
# Board, simulated: machine.Pin and machine.SPI, each as its port has it.

import simcharge
import simhardware
import simirq
from parts.ads1220 import Spi

_IS_RP2 = simcharge.port("is_rp2")
_CHIP = simhardware.wiring.chip
_NO_LEVEL = object()
# Of a pin that woke the board, or could have: it is the RTC's and reads 0 until it is made an input
# again (ESP-IDF, "Sleep Modes"; ports/esp32/machine_pin.c gives it back).
rtc_pads = set()
is_asleep = False  # meanwhile no edge interrupts


class Pin:
    IN = 0 if _IS_RP2 else 1
    OUT = 1 if _IS_RP2 else 3
    OPEN_DRAIN = 2 if _IS_RP2 else 7
    PULL_UP = 1 if _IS_RP2 else 2
    PULL_DOWN = 2 if _IS_RP2 else 1
    IRQ_FALLING = 4 if _IS_RP2 else 2
    IRQ_RISING = 8 if _IS_RP2 else 1

    def __init__(self, *id, mode=-1, pull=-1, value=None):
        if not 1 <= len(id) <= 3:
            raise TypeError("Pin takes an id, a mode and a pull")
        self._id = id[0]._id if isinstance(id[0], Pin) else id[0]
        self._check_id()
        self._part = simhardware.input_part(self._id)
        # The select line of the front end and its part, where there is one.
        chip = simhardware.ads1220
        is_select = chip is not None and self._id == simhardware.wiring.geophone
        self._chip = chip if is_select else None
        self._level = 0
        self._is_led = self._id == ("LED" if _IS_RP2 else 2)
        self._mode = Pin.IN
        self._handler = None
        self._trigger = 0
        self._line = None
        self.init(*(id[1:] or (mode,)), **{"pull": pull} if len(id) < 3 else {}, value=value)

    def _check_id(self):
        if self._id == "LED" and _IS_RP2:
            return  # at the radio's chip
        if type(self._id) is not int:
            raise ValueError("invalid pin")
        if not 0 <= self._id <= _CHIP.last or self._id in _CHIP.absent:
            raise ValueError("invalid pin")

    def init(self, mode=-1, pull=-1, *, value=None):
        if mode not in (-1, Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
            raise ValueError("invalid pin mode")
        if pull not in (-1, None, Pin.PULL_UP, Pin.PULL_DOWN):
            raise ValueError("invalid pull")
        if mode != -1:
            rtc_pads.discard(self._id)
            if mode != Pin.IN and self._id in _CHIP.inputs:
                raise ValueError("pin can only be input")
            self._mode = mode
        if pull == Pin.PULL_UP:
            self._level = 1
        if value is not None:
            self(value)

    def __call__(self, level=_NO_LEVEL):
        # No tuple of arguments: it would lie in the node's heap.
        if level is not _NO_LEVEL:
            before, self._level = self._level, 1 if level else 0
            if self._is_led and before != self._level:
                print("sim: led %d" % self._level)
            if self._chip is not None:
                self._chip.select(self._level)
            return None
        if rtc_pads and self._id in rtc_pads:
            return 0
        return self._level if self._part is None else self._part.level()

    value = __call__

    def on(self):
        self(1)

    def off(self):
        self(0)

    def toggle(self):
        self(not self._level)

    if _IS_RP2:
        high = on
        low = off

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, **more):
        # ports/rp2/machine_pin.c knows `hard`, ports/esp32/machine_pin.c of 1.25 `wake`.
        hard = more.pop("hard", False) if simcharge.port("pin_irq_hard") else False
        if more:
            raise TypeError("extra keyword arguments given")
        if not trigger & 15 or trigger & ~15:
            raise ValueError("invalid trigger")
        self._handler = handler
        self._trigger = trigger
        if self._line is not None:
            self._line.stop()
        # What waits in the interrupt controller is one bit for each kind of edge.
        self._line = simirq.Line(self._on_interrupt, bool(hard), False)
        if self._part is not None:
            self._part.watch(None if handler is None else self._on_edge)
        return self

    def _on_edge(self, level, t_us):
        if not is_asleep and self._trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
            self._line.ask(t_us)

    def _on_interrupt(self, _t_us):
        if self._handler is not None:
            self._handler(self)


class SPI:
    MSB = 0
    LSB = 1

    def __new__(
        cls,
        id,
        baudrate=1_000_000,
        *,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=MSB,
        sck=None,
        mosi=None,
        miso=None,
    ):
        if id not in _CHIP.spi_ids:
            raise ValueError("SPI(%s) doesn't exist" % id)
        if bits != 8 or firstbit != SPI.MSB:
            raise NotImplementedError("only 8 bits, MSB first")
        if simhardware.ads1220 is None:
            raise OSError(19)  # ENODEV: no part hangs on this board's bus
        return Spi(simhardware.ads1220, polarity, phase)
