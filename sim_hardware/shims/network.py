# SPDX-License-Identifier: MIT
# Room "board", simulated: `network.WLAN` as a station. Joining takes a while, it can fail.

import simclock
import simhardware

STA_IF = 0
AP_IF = 1

# As the rp2 port numbers them.
STAT_IDLE = 0
STAT_CONNECTING = 1
STAT_GOT_IP = 3
STAT_WRONG_PASSWORD = -3
STAT_NO_AP_FOUND = -2
STAT_CONNECT_FAIL = -1

_JOIN_US = 1_200_000  # association and DHCP, a typical home access point
_RSSI_DBM = -61

_country = "XX"
_hostname = "node"


def country(code=None):
    global _country
    if code is None:
        return _country
    _country = code


def hostname(name=None):
    global _hostname
    if name is None:
        return _hostname
    _hostname = name


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0x10
    PM_PERFORMANCE = 0xA11142
    PM_POWERSAVE = 0xA11C82

    def __init__(self, interface=STA_IF):
        if interface != STA_IF:
            raise OSError(19)  # ENODEV: a node never is an access point
        self._active = False
        self._joined_us = None  # when the pending or standing connection is complete
        self._config = {"pm": WLAN.PM_PERFORMANCE, "txpower": 31, "channel": 6, "ssid": ""}

    def active(self, on=None):
        if on is None:
            return self._active
        self._active = bool(on)
        if not on:
            self._joined_us = None

    def connect(self, ssid=None, key=None, **_more):
        if not self._active:
            raise OSError(1)  # EPERM, as the rp2 port answers
        self._config["ssid"] = ssid
        self._joined_us = simclock.now() + _JOIN_US

    def disconnect(self):
        self._joined_us = None

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, name=None):
        if name == "rssi":
            return _RSSI_DBM
        if name is not None:
            raise ValueError("unknown status param")
        if not self._active or self._joined_us is None:
            return STAT_IDLE
        t_us = simclock.now()
        if simhardware.radio_is_out(t_us):
            # The network is gone. It has to be joined anew once it is back.
            self._joined_us = None
            return STAT_NO_AP_FOUND
        return STAT_GOT_IP if t_us >= self._joined_us else STAT_CONNECTING

    def ifconfig(self, *_settings):
        address = "10.0.0.2" if self.isconnected() else "0.0.0.0"
        return (address, "255.255.255.0", "10.0.0.1", "10.0.0.1")

    def ipconfig(self, name):
        if name == "addr4":
            return (self.ifconfig()[0], "255.255.255.0")
        raise ValueError("unknown ipconfig param")

    def config(self, *names, **values):
        if names:
            if names[0] == "mac":
                return b"\x02" + simhardware.settings.seed.to_bytes(5, "big")
            return self._config[names[0]]
        for name in values:
            if name not in self._config:
                raise ValueError("unknown config param")
            self._config[name] = values[name]
