# SPDX-License-Identifier: MIT
# Board, simulated: `network.WLAN` as a station, as each port has it. Joining takes a while and can
# fail: no network in range, wrong passphrase, no address from DHCP.

import simcharge
import simclock
import simhardware

STA_IF = 0
AP_IF = 1

if simcharge.port("is_rp2"):  # lib/cyw43-driver
    STAT_IDLE = 0
    STAT_CONNECTING = 1
    STAT_GOT_IP = 3
    STAT_WRONG_PASSWORD = -3
    STAT_NO_AP_FOUND = -2
    STAT_CONNECT_FAIL = -1
    _NO_IP = 2
else:  # ports/esp32/network_wlan.c
    STAT_IDLE = 1000
    STAT_CONNECTING = 1001
    STAT_GOT_IP = 1010
    STAT_WRONG_PASSWORD = 202
    STAT_NO_AP_FOUND = 201
    _NO_IP = STAT_CONNECTING

_JOIN_US = 1_200_000  # association and DHCP where nothing is charged
_REFUSED_US = 2_500_000  # until an access point has refused a passphrase for good (assumed)
_RSSI_DBM = -61
_PASSPHRASE_MIN = 8  # WPA2
_SSID_MAX = 32

_country = "XX"
_hostname = "node"


def country(*code):
    global _country
    if not code:
        return _country
    if type(code[0]) is not str or len(code[0]) != 2:
        raise ValueError("country code must be two letters")
    _country = code[0]


def hostname(*name):
    global _hostname
    if not name:
        return _hostname
    if not 0 < len(name[0]) <= 32:
        raise ValueError("hostname too long")
    _hostname = name[0]


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = 0x10 if simcharge.port("is_rp2") else 0
    PM_PERFORMANCE = 0xA11142 if simcharge.port("is_rp2") else 1
    PM_POWERSAVE = 0xA11C82 if simcharge.port("is_rp2") else 2

    _station = None

    def __new__(cls, interface=STA_IF):
        # The port has one object for each interface, however often it is asked for.
        if interface != STA_IF:
            raise OSError(19)  # ENODEV: a node never is an access point
        if WLAN._station is None:
            WLAN._station = object.__new__(cls)
            WLAN._station._reset()
        return WLAN._station

    def _reset(self):
        self._is_loaded = False  # the radio has its firmware
        self._active = False
        self._start_us = None  # of the attempt to join, or of the join that stands
        self._is_accepted = True
        self._has_address = False
        self._config = {
            "pm": WLAN.PM_PERFORMANCE,
            "txpower": 31,
            "channel": 6,
            "ssid": "",
            "hostname": _hostname,
            "security": 4,
        }

    def active(self, *on):
        if not on:
            return self._active
        if on[0] and not self._is_loaded:
            simcharge.start_radio()
            simhardware.start_radio()
            self._is_loaded = True
        self._active = bool(on[0])
        if not on[0]:
            self._start_us = None
            # On rp2 active(False) only leaves the network; on esp32 it stops the radio.
            self._is_loaded = simcharge.port("is_rp2")

    if simcharge.port("is_rp2"):

        def deinit(self):
            # The radio is switched off and loses its firmware.
            self._reset()

    def connect(self, *login, bssid=None):
        if len(login) > 2:
            raise TypeError("extra positional arguments given")
        ssid = login[0] if login else None
        password = login[1] if len(login) == 2 else None
        if not self._active:
            # As the ports answer: rp2 with EPERM, esp32 with an error of its driver.
            raise OSError(1 if simcharge.port("is_rp2") else "Wifi Not Started")
        if ssid is None or not 0 < len(ssid) <= _SSID_MAX:
            raise OSError(22)
        if self.status() == STAT_CONNECTING and not simcharge.port("is_rp2"):
            raise OSError("Wifi Internal State Error")
        simhardware.draw_current()
        self._config["ssid"] = ssid
        self._start_us = simclock.now()
        self._has_address = False
        is_short = bool(password) and len(password) < _PASSPHRASE_MIN
        is_wrong = is_short or simhardware.is_faulty("wrong_passphrase", self._start_us)
        self._is_accepted = not is_wrong

    def disconnect(self):
        self._start_us = None

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self, *name):
        if name and name[0] == "rssi":
            return _RSSI_DBM
        if name:
            raise ValueError("unknown status param")
        if not self._active or self._start_us is None:
            return STAT_IDLE
        t_us = simclock.now()
        if simhardware.radio_is_out(t_us):
            # The network is gone. It has to be joined again once it is back.
            self._start_us = None
            return STAT_NO_AP_FOUND
        if not self._is_accepted:
            if t_us - self._start_us < _REFUSED_US:
                return STAT_CONNECTING
            return STAT_WRONG_PASSWORD
        if t_us - self._start_us < (simcharge.cost_us("join_us") or _JOIN_US):
            return STAT_CONNECTING
        if not self._has_address and simhardware.is_faulty("dhcp_away", t_us):
            return _NO_IP
        self._has_address = True
        return STAT_GOT_IP

    def ifconfig(self, *_settings):
        address = "10.0.0.2" if self.isconnected() else "0.0.0.0"
        return (address, "255.255.255.0", "10.0.0.1", "10.0.0.1")

    def config(self, *names, **values):
        if (names and values) or len(names) > 1:
            raise TypeError("either pos or kw args are allowed")
        if names:
            if names[0] == "mac":
                return b"\x02" + simhardware.settings.seed.to_bytes(5, "big")
            if names[0] not in self._config:
                raise ValueError("unknown config param")
            return self._config[names[0]]
        for name in values:
            if name not in self._config:
                raise ValueError("unknown config param")
            self._config[name] = values[name]
