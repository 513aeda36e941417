# SPDX-License-Identifier: MIT
"""The simulated radio: joining takes a while, outages break it, wrong use is refused."""

from typing import Any

Bench = Any

JOIN = (
    "import network, time\n"
    "wlan = network.WLAN(network.STA_IF)\n"
    "wlan.active(True)\n"
    "wlan.connect('site', 'eight or more')\n"
    "def joined(limit_ms):\n"
    "    start = time.ticks_ms()\n"
    "    while not wlan.isconnected():\n"
    "        if time.ticks_diff(time.ticks_ms(), start) > limit_ms: return None\n"
    "        time.sleep_ms(100)\n"
    "    return time.ticks_ms()\n"
)


def test_joining_takes_its_time_and_gives_an_address(bench: Bench) -> None:
    _, lines = bench.power_on(
        JOIN + "print(wlan.status() == network.STAT_CONNECTING, wlan.ifconfig()[0])\n"
        "print(joined(5000), wlan.status() == network.STAT_GOT_IP, wlan.ifconfig()[0])\n"
        "print(wlan.status('rssi') < 0, wlan.config('ssid'))\n"
        "wlan.disconnect()\n"
        "print(wlan.isconnected())\n"
    )
    assert lines == ["True 0.0.0.0", "1200 True 10.0.0.2", "True site", "False"]


def test_outage_ends_the_connection_until_it_is_joined_anew(bench: Bench) -> None:
    bench.settings["outages_s"] = [[3, 6]]
    _, lines = bench.power_on(
        JOIN + "joined(5000)\n"
        "time.sleep(2)\n"
        "print(wlan.isconnected(), wlan.status() == network.STAT_IDLE)\n"
        "wlan.connect('site', 'eight or more')\n"
        "print(wlan.status() == network.STAT_NO_AP_FOUND)\n"
        "time.sleep(4)\n"
        "print(wlan.isconnected())\n"
        "wlan.connect('site', 'eight or more')\n"
        "print(joined(5000) is not None)\n"
    )
    assert lines == ["False True", "True", "False", "True"]


def test_radio_that_is_off_or_an_access_point_is_refused(bench64: Bench) -> None:
    _, lines = bench64.power_on(
        "import network\n"
        "try:\n"
        "    network.WLAN(network.STA_IF).connect('a', 'b')\n"
        "except OSError as error:\n"
        "    print(error)\n"
        "try:\n"
        "    network.WLAN(network.AP_IF)\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    assert lines == ["[Errno 1] EPERM", "[Errno 19] ENODEV"]
