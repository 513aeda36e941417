# SPDX-License-Identifier: MIT
# station.py PORT: what a station does with the radio of a port (rp2 or esp32), call by call.

import sys


class Wlan:
    PM_PERFORMANCE = 7

    def __init__(self, _interface):
        pass

    def active(self, on):
        calls.append("active %d" % on)

    def config(self, pm):
        calls.append("pm %d" % pm)

    connect = disconnect = isconnected = status = ifconfig = lambda self: None


class WlanThatPowersDown(Wlan):
    def deinit(self):
        calls.append("deinit")


class Network:
    STA_IF = 0
    WLAN = WlanThatPowersDown if sys.argv[1] == "rp2" else Wlan

    @staticmethod
    def country(code):
        calls.append("country " + code)


calls = []
sys.modules["network"] = Network
station = __import__("boards.station", None, None, ("Station",)).Station("DE")
station.power_up()
station.power_down()
station.power_up()
print(", ".join(calls))
