# SPDX-License-Identifier: MIT
# board: the Wi-Fi station of a node, with a radio that is really switched off and on.

import network


class Station:
    # connect, disconnect, isconnected, status and ifconfig are those of network.WLAN. `country`:
    # two letters (ISO 3166-1) that set channels and power; XX stands for what is allowed
    # everywhere.

    def __init__(self, country):
        network.country(country)
        self._wlan = wlan = network.WLAN(network.STA_IF)
        self.connect = wlan.connect
        self.disconnect = wlan.disconnect
        self.isconnected = wlan.isconnected
        self.status = wlan.status
        self.ifconfig = wlan.ifconfig

    def power_up(self):
        # No effect if the radio is on. Raises OSError if it does not start.
        self._wlan.active(True)
        # Set each time: a radio that was off has lost it.
        self._wlan.config(pm=network.WLAN.PM_PERFORMANCE)

    def power_down(self):
        self._wlan.active(False)
        # On rp2, active(False) only leaves the network; deinit() removes the power from the CYW43
        # (extmod/network_cyw43.c). On esp32, active(False) stops the radio; there is no deinit().
        deinit = getattr(self._wlan, "deinit", None)
        if deinit is not None:
            deinit()
