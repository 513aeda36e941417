# SPDX-License-Identifier: MIT
# link: joins the Wi-Fi network, and power-cycles a stuck radio.

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

_JOIN_MS = const(20_000)
# The CYW43 driver of the Pico W can get stuck until its radio is powered down.
_RADIO_CYCLE_MS = const(300_000)
# It can also report that it is joined to a network that has dropped it.
_UNREACHED_MS = const(600_000)


class WifiError(OSError):
    pass


class Wifi:
    # `wlan` is a station (boards.station): power_up(), power_down(), connect(), disconnect(),
    # isconnected(), status(), ifconfig().
    #   cycles: successive power cycles of the radio because no join succeeded

    def __init__(self, wlan, ssid, passphrase):
        self.cycles = 0
        self._wlan = wlan
        self._ssid = ssid
        self._passphrase = passphrase
        # ticks_ms of the last successful join, None while joined
        self._failing_since = None
        # ticks_ms since no broker is reached, None while one is
        self._unreached_since = None

    def reached(self):
        # The network works: a broker has answered over it.
        self._unreached_since = None

    def switch_off(self):
        # Until the next join(). Failures before this do not count for that one.
        self._wlan.power_down()
        self._failing_since = self._unreached_since = None

    def rssi_dbm(self):
        # -128 if unknown.
        try:
            return max(-128, min(0, self._wlan.status("rssi")))
        except (OSError, ValueError, TypeError):
            return -128

    def name_server(self):
        # Its address, as the network reported it.
        return self._wlan.ifconfig()[3]

    async def join(self):
        # Returns at once when joined. Raises WifiError after 20 s without success.
        wlan = self._wlan
        start = ticks_ms()
        if self._unreached_since is None:
            self._unreached_since = start
        if wlan.isconnected():
            self._joined()
            if ticks_diff(start, self._unreached_since) < _UNREACHED_MS:
                return
            self._unreached_since = start
            await self._cycle_radio()
        if self._failing_since is None:
            self._failing_since = start
        if ticks_diff(start, self._failing_since) >= _RADIO_CYCLE_MS:
            self.cycles += 1
            self._failing_since = start
            await self._cycle_radio()
        wlan.power_up()  # OSError: a radio that does not start counts as stuck
        wlan.connect(self._ssid, self._passphrase or None)  # None: a network without a passphrase
        while not wlan.isconnected():
            if ticks_diff(ticks_ms(), start) >= _JOIN_MS:
                status = wlan.status()
                wlan.disconnect()
                raise WifiError("cannot join %s, status %s" % (self._ssid, status))
            await asyncio.sleep_ms(200)
        self._joined()

    def _joined(self):
        self._failing_since = None
        self.cycles = 0

    async def _cycle_radio(self):
        self._wlan.power_down()
        await asyncio.sleep_ms(1000)
        self._wlan.power_up()
