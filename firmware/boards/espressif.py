# SPDX-License-Identifier: MIT
# board: what all Espressif chips share: an SM-24 geophone on an ADS1220, because the chips' own
# converters are too coarse. Each board.py adds its name, pins and SPI.

from time import ticks_diff, ticks_ms

import esp32
import machine
from micropython import const

from boards.base import Board, make_inputs
from ugs.drivers.ads1220 import FULL_SCALE_COUNTS, Ads1220
from ugs.drivers.battery import Battery
from ugs.drivers.ready_sampler import ReadySampler

FS_HZ = const(250)
_SPI_HZ = const(2_000_000)

# From the component values in sim_hardware/parts/front_end.py; tests/sensors checks them.
_NM_S_PER_COUNT_X256 = const(1_391)
_SHORT_COUNTS = const(1_318)
_CUT_COUNTS = const(8_428)
# Loop resistance between the converter's pins, filter included: 492 ohm with the coil, 200 ohm
# shorted, 1530 ohm without the coil.
_COIL_OHM = (340, 870)
# 0.5 uV rms of one conversion (SBAS501C section 7.1) is 4.1 counts. The filter of ugs.dsp.fir
# passes 0.48 of it: 2 counts. It is measured at start if the converter answers.
_OWN_NOISE_X16 = const(32)

_EARLY_MS = const(20)  # a sleep that ended within this time of its limit was ended by the timer

_BATTERY_RATIO_X100 = const(200)  # 100 kohm to the battery, 100 kohm to ground


class Sleeper:
    # Light sleep: RAM is kept and nothing restarts. A high level at one of the pins ends it. An
    # input that is already high is therefore left out; if the tamper loop is open, its closing ends
    # the sleep. All pins are in the RTC domain. No timer runs during sleep, and neither does the
    # task watchdog. Not tested on hardware.

    def __init__(self, converter, wake, pir, tamper):
        self._converter = converter
        # GPIO, and pull while awake, of: comparator, PIR (None without one), tamper loop
        down = machine.Pin.PULL_DOWN
        self._rows = ((wake, down), (pir, down), (tamper, machine.Pin.PULL_UP))
        self._claim()

    def _claim(self):
        # Sleep leaves the pins assigned to the RTC domain (ESP-IDF, "Sleep Modes"): claim them
        # back.
        return [
            None if gpio is None else machine.Pin(gpio, machine.Pin.IN, pull)
            for gpio, pull in self._rows
        ]

    def sleep(self, ms, wanted):
        # `wanted`: whether the comparator and the PIR may wake the board. Returns the pin that did:
        # 0 comparator, 1 PIR, 2 tamper loop, None if the time ran out. The sampler is stopped
        # beforehand.
        pins = self._claim()
        tamper = pins[2]
        is_open = tamper()
        armed = [
            pin
            for at, pin in enumerate(pins)
            if pin is not None and (at == 2 or wanted[at]) and (at == 0 or not pin())
        ]
        esp32.wake_on_ext1(armed, esp32.WAKEUP_ANY_HIGH)
        if is_open:
            esp32.wake_on_ext0(tamper, esp32.WAKEUP_ALL_LOW)
        else:
            esp32.wake_on_ext0(None, esp32.WAKEUP_ALL_LOW)
            # The wake-up circuit has 1 Mohm here. The chip's own pull-up draws twenty times as much
            # through the closed loop. Without that resistor an opening is seen only after the
            # sleep.
            tamper.init(machine.Pin.IN, None)
        self._converter.power_down()
        started = ticks_ms()
        machine.lightsleep(ms)
        is_over = ticks_diff(ticks_ms(), started) >= ms - _EARLY_MS
        pins = self._claim()
        self._converter.power_up()
        if is_over:
            return None
        if pins[2]() != is_open:
            return 2
        return 1 if wanted[1] and (pins[1]() or not wanted[0]) else 0


class EspressifBoard(Board):
    def __init__(self, converter, sleeper, led, *parts):
        super().__init__(*parts)
        self._converter = converter
        self.sleeper = sleeper
        self.led = led

    def check(self):
        return self._converter.check()

    def coil_answers(self):
        ohm = self._converter.loop_ohm()
        print("front end loop_ohm=%d" % ohm)
        return _COIL_OHM[0] <= ohm <= _COIL_OHM[1]


def make_board(name, pins, spi_id, config, led=None):
    # `pins`: sck, mosi, miso, cs and ready of the ADS1220; battery on ADC1 (the radio uses ADC2);
    # pir; tamper; wake, if pins can wake the board. `led`: the pin of its LED, if it has one.
    spi = machine.SPI(
        spi_id,
        baudrate=_SPI_HZ,
        polarity=0,
        phase=1,
        sck=machine.Pin(pins["sck"]),
        mosi=machine.Pin(pins["mosi"]),
        miso=machine.Pin(pins["miso"]),
    )
    converter = Ads1220(spi, machine.Pin(pins["cs"], machine.Pin.OUT, value=1))
    own_x16 = _OWN_NOISE_X16
    try:
        converter.start()
        own_x16 = converter.own_noise_x16() >> 1  # the filter passes 0.48 of it
        print("front end own_noise_x16=%d loop_ohm=%d" % (own_x16, converter.loop_ohm()))
    except OSError as error:
        # A node whose converter fails still starts, to report it; check() keeps trying.
        print("board faulty cause=%s" % error)
    ready = machine.Pin(pins["ready"], machine.Pin.IN)

    def watch(callback):
        ready.irq(handler=callback, trigger=machine.Pin.IRQ_FALLING)

    station = None
    if not config.is_wired:
        from boards.station import Station

        station = Station(config.country)
    pir_gpio = pins["pir"] if config.pir else None
    pir, tamper = make_inputs(pir_gpio, pins["tamper"])
    # Calibrated on the chip: the reference varies from 1.0 to 1.2 V between chips.
    battery = machine.ADC(machine.Pin(pins["battery"]), atten=machine.ADC.ATTN_11DB)
    sleeper = None
    if "wake" in pins:
        sleeper = Sleeper(converter, pins["wake"], pir_gpio, pins["tamper"])
    return EspressifBoard(
        converter,
        sleeper,
        led,
        name,
        _NM_S_PER_COUNT_X256,
        (own_x16, _SHORT_COUNTS, _CUT_COUNTS),
        ReadySampler(watch, converter.read, FS_HZ, FULL_SCALE_COUNTS - 1),
        pir,
        tamper,
        Battery(battery.read_uv, _BATTERY_RATIO_X100),
        station,
    )
