# SPDX-License-Identifier: MIT
"""The simulated radio: joining takes time, outages break it, wrong use is refused."""

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


def test_outage_ends_the_connection_until_it_is_joined_again(bench: Bench) -> None:
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


def test_refused_passphrase_is_shown_and_no_address_comes_without_dhcp(bench: Bench) -> None:
    bench.settings |= {"wrong_passphrase_s": [[0, 5]], "dhcp_away_s": [[10, 20]]}
    _, lines = bench.power_on(
        JOIN + "print(joined(4000), wlan.status() == network.STAT_WRONG_PASSWORD)\n"
        "time.sleep_ms(10_500 - time.ticks_ms())\n"
        "wlan.connect('site', 'eight or more')\n"
        "print(joined(8000), wlan.status())\n"
        "time.sleep(3)\n"
        "print(wlan.isconnected())\n"
        "wlan.connect('site', 'short')\n"
        "print(joined(4000))\n"
    )
    assert lines == ["None True", "None 2", "True", "None"]


def test_radio_after_deinit_is_off_and_has_to_load_its_firmware_again(bench: Bench) -> None:
    bench.charge()
    _, lines = bench.power_on(
        "import network, time\n"
        "wlan = network.WLAN(network.STA_IF)\n"
        "def start():\n"
        "    before = time.ticks_ms()\n"
        "    wlan.active(True)\n"
        "    return time.ticks_diff(time.ticks_ms(), before)\n"
        "print(start())\n"
        "wlan.active(False)\n"
        "print(start())\n"
        "wlan.deinit()\n"
        "print(wlan.active())\n"
        "try:\n"
        "    wlan.connect('site', 'eight or more')\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
        "print(start(), network.WLAN() is wlan)\n"
    )
    assert lines == ["750", "0", "False", "1", "750 True"]
