# SPDX-License-Identifier: MIT
"""A Raspberry Pi Pico W in an emulator: power, reset, flash, pins, its console and its clock.

Emulated time never runs faster than the wall clock, so a program on the host has at least as much
time as with a real board. It runs more slowly while the board works: rp2040py executes about 5 to
20 million instructions in a second.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from rp2040py.boards import BOARDS
from rp2040py.clock.clock import IAlarm
from rp2040py.device.base_device import BaseDevice, ResetCause
from rp2040py.external.cyw43.chip import Cyw43439
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.peripherals.watchdog import LOAD, RPWatchdog

from sim_hardware.emulated.chip import Adc, Sio
from sim_hardware.emulated.compiled import fast_loop
from sim_hardware.emulated.console import Console
from sim_hardware.emulated.host import Host
from sim_hardware.emulated.image import FLASH_BYTES
from sim_hardware.emulated.inputs import GEOPHONE_CHANNEL, Agenda, Ground, Pins
from sim_hardware.emulated.network import Air, Network

_AHEAD_S = 0.02  # of the wall clock, before the emulator sleeps
# The longest emulated time of a batch of instructions. Bytes that a program writes to the port of
# an idle board must not wait for the next event of the board.
_TURN_NANOS = 5_000_000
_FEEDS_MAX = 10_000  # the oldest go first


class Board:
    """`flash` is its content at power-on, FLASH_BYTES long. Everything runs in one event loop.

    `on_usb(True)` is called when the board has enumerated, `on_usb(False)` when it left the bus;
    `on_serial(data)` with the printed bytes; `on_turn()` about a hundred times a second.
    """

    def __init__(self, image: Path, flash: bytes, air: Air) -> None:
        self.flash_at_rest = flash
        self.air = air
        self.ground, self.pins, self.agenda = Ground(), Pins(), Agenda()
        self.console = Console()
        self.adc_reads = self.boots = 0
        self.first_reading_us = 0  # of the geophone in this boot, 0 before it
        self.feeds_us: deque[int] = deque(maxlen=_FEEDS_MAX)  # when the watchdog was loaded
        self.on_usb: Callable[[bool], None] = lambda _plugged: None
        self.on_serial: Callable[[bytes], None] = lambda _data: None
        self.on_turn: Callable[[], None] = lambda: None
        self._image = image
        self._loop = fast_loop()
        self._past_us = 0  # emulated time of earlier power cycles
        self._device: BaseDevice | None = None
        self._host: Host | None = None
        self._network: Network | None = None
        self._task: asyncio.Task[None] | None = None
        self._alarm: IAlarm | None = None
        self._is_ending = False

    @property
    def is_powered(self) -> bool:
        return self._device is not None

    @property
    def emulated_us(self) -> int:
        """Emulated time since the program started; it stops while the power is off."""
        return self._past_us + self._clock_us()

    @property
    def is_busy(self) -> bool:
        """Whether the processor works now; call it at an emulated time, as `at` does."""
        return self._device is not None and not self._device.mcu.core.waiting

    @property
    def flash(self) -> bytes:
        """The present content of the whole flash."""
        if self._device is None:
            return self.flash_at_rest
        return bytes(self._device.mcu.flash[:FLASH_BYTES])

    def power_on(self) -> asyncio.Task[None]:
        """Returns the task that runs the board; it ends with the power, or with an error."""
        assert self._device is None
        radio = Cyw43439()
        spec = BOARDS["pico_w"]
        extras = tuple(extra for extra in spec.extras if extra is not Cyw43439)
        device = BaseDevice(
            board=dataclasses.replace(spec, image=self._image, extras=(*extras, lambda: radio))
        )
        mcu = device.mcu
        mcu.flash[:FLASH_BYTES] = self.flash_at_rest
        mcu.adc.__class__, mcu.sio.__class__ = Adc, Sio
        mcu.adc.on_adc_read = self._on_adc_read
        self._note_feeds(mcu.watchdog)
        self.pins.apply(mcu.gpio, mcu.adc.channel_values)
        self._device, self._host = device, Host(device)
        self._network = Network(mcu, radio, self.air, self.later)
        self._alarm = mcu.clock.create_alarm(self._on_alarm)
        host, host_reset = self._host, mcu.usb_ctrl.on_reset
        assert host_reset is not None

        def on_reset() -> None:
            host_reset()
            host.reset()
            # rp2040py 0.3.6 releases WL_ON without a falling edge, so the radio would keep its
            # registers and not start again (GPIOPin.reset calls no listener).
            radio.bus.power_off()
            # Nor does its reset of a DMA channel end a transfer, so the next one does not start.
            for channel in mcu.dma.channels:
                channel.abort()
            self._on_boot()

        mcu.usb_ctrl.on_reset = on_reset
        device.cdc.on_serial_data = self._on_serial_data
        device.cdc.on_device_connected = lambda: self.on_usb(True)
        mcu.core.pc = FLASH_START_ADDRESS
        device.simulator.bind_loop()
        self._is_ending = False
        self.boots += 1
        self.first_reading_us = 0
        self._arm()
        self._task = asyncio.create_task(self._run(device), name="board")
        return self._task

    async def power_off(self) -> None:
        """Cut the power. The flash keeps its content; all other state is lost on return."""
        device, task = self._device, self._task
        if device is None or task is None:
            return
        self._is_ending = True
        await asyncio.wait({task})
        self.flash_at_rest, past_us = self.flash, self.emulated_us
        self._network, self._device, self._host = None, None, None
        self._past_us = past_us
        self.console.reset()
        self.on_usb(False)

    def rest(self, duration_us: int) -> None:
        """Let time pass without power; actions that fall due are done at power-on."""
        assert self._device is None
        self._past_us += duration_us

    def reset(self) -> None:
        """Pull RUN low for a moment."""
        if self._device is not None:
            self._device.hard_reset(cause=ResetCause.RUN_PIN)

    def send(self, data: bytes) -> None:
        """Bytes for the board's console; at most `room` of them."""
        assert self._host is not None
        self._host.send(data)

    @property
    def room(self) -> int:
        """Bytes that `send` takes now."""
        return 0 if self._host is None else self._host.room

    def at(self, t_us: int, action: Callable[[], None]) -> None:
        """Call an action at an emulated time, to the microsecond."""
        self.agenda.add(t_us, action)
        self._arm()

    def later(self, delay_us: int, action: Callable[[], None]) -> None:
        """Call an action after this emulated time."""
        self.at(self.emulated_us + delay_us, action)

    def pin(self, gpio: int, level: bool) -> None:
        """Drive a pin from outside."""
        self.pins.levels[gpio] = level
        if self._device is not None:
            self._device.mcu.gpio[gpio].set_input_value(level)

    def adc(self, channel: int, code: int) -> None:
        """Set the code that a channel of the converter reads from now on."""
        self.pins.codes[channel] = code
        if self._device is not None:
            self._device.mcu.adc.channel_values[channel] = code

    def follow_wifi(self) -> None:
        """The state in `air` has changed."""
        if self._network is not None:
            self._network.follow()

    async def _run(self, device: BaseDevice) -> None:
        simulator = device.simulator
        wall_s, emulated_s = time.monotonic(), self._clock_us() / 1e6

        def end_turn() -> None:
            simulator.stopped = True
            turn.schedule(_TURN_NANOS)

        turn = device.mcu.clock.create_alarm(end_turn)
        turn.schedule(_TURN_NANOS)
        try:
            while not self._is_ending:
                simulator.stopped = False
                if self._loop is None:
                    simulator._execute_batch()
                else:
                    self._loop(simulator)
                self.on_turn()
                now_s = time.monotonic()
                ahead_s = (self._clock_us() / 1e6 - emulated_s) - (now_s - wall_s)
                if ahead_s < -_AHEAD_S:
                    # Lost time is not caught up, because time would then run too fast.
                    wall_s, emulated_s = now_s, self._clock_us() / 1e6
                await asyncio.sleep(max(0.0, ahead_s) if ahead_s > _AHEAD_S else 0)
        finally:
            if self._network is not None:
                self._network.reset()

    def _clock_us(self) -> int:
        return 0 if self._device is None else int(self._device.simulator.clock.nanos) // 1000

    def _on_boot(self) -> None:
        self.boots += 1
        self.first_reading_us = 0
        self.console.reset()
        if self._network is not None:
            self._network.reset()
        self.on_usb(False)

    def _on_serial_data(self, data: bytes | bytearray) -> None:
        self.console.take(bytes(data), self.emulated_us)
        self.on_serial(bytes(data))

    def _on_adc_read(self, channel: int) -> None:
        assert self._device is not None
        adc = self._device.mcu.adc
        if channel == GEOPHONE_CHANNEL:
            self.adc_reads += 1
            self.first_reading_us = self.first_reading_us or self.emulated_us
            adc.channel_values[channel] = self.ground.code(self.emulated_us)
        adc._default_on_adc_read(channel)

    def _note_feeds(self, watchdog: RPWatchdog) -> None:
        plain = watchdog.write_uint32

        def write(offset: int, value: int) -> None:
            if offset == LOAD:
                self.feeds_us.append(self.emulated_us)
            plain(offset, value)

        watchdog.write_uint32 = write  # type: ignore[method-assign]  # looked up on the instance

    def _arm(self) -> None:
        due_us = self.agenda.next_us
        if self._device is None or due_us is None:
            return
        assert self._alarm is not None
        self._alarm.cancel()
        self._alarm.schedule(max(0, due_us - self.emulated_us) * 1000)

    def _on_alarm(self) -> None:
        self.agenda.run(self.emulated_us)
        self._arm()
