# SPDX-License-Identifier: MIT
# One case of the address of the broker: addresses.py CASE; prints "ok".

import asyncio
import sys

from ugs.config import ConfigError, parse_config
from ugs.link import resolver
from ugs.link.address import BrokerAddress


class NameServer:
    # In place of ugs.link.resolver.resolve: returns `address`; None is no answer.
    def __init__(self, address):
        self.address = address
        self.asked = 0

    async def resolve(self, name, server):
        assert (name, server) == ("gateway.lan", "10.0.0.1")
        self.asked += 1
        if self.address is None:
            raise OSError("no answer")
        return self.address


def make_address(known, host="gateway.lan", pinned=""):
    names = NameServer(known)
    resolver.resolve = names.resolve
    made = BrokerAddress(host, pinned)

    def attempt(works):
        # One attempt to connect, to the returned address.
        address = asyncio.run(made.choose("10.0.0.1"))
        made.failed()
        if works:
            made.reached()
        return address

    return names, attempt


def address_of_four_numbers_is_never_looked_up():
    names, attempt = make_address("10.0.0.9", host="10.0.0.5")
    assert [attempt(works) for works in (False, False, True, False)] == ["10.0.0.5"] * 4
    assert names.asked == 0


def address_pinned_is_used_first_and_as_long_as_it_answers():
    names, attempt = make_address("10.0.0.9", pinned="10.0.0.5")
    assert [attempt(True) for _ in range(5)] == ["10.0.0.5"] * 5
    assert names.asked == 0
    # The gateway has moved: after its first failure the name is looked up.
    assert [attempt(False), attempt(True), attempt(True)] == ["10.0.0.5", "10.0.0.9", "10.0.0.9"]
    assert names.asked == 1


def address_pinned_is_tried_repeatedly_while_the_name_server_is_away():
    names, attempt = make_address(None, pinned="10.0.0.5")
    assert [attempt(False) for _ in range(20)] == ["10.0.0.5"] * 20
    assert names.asked == 19
    assert attempt(True) == "10.0.0.5"


def address_found_and_address_pinned_alternate_while_neither_answers():
    _names, attempt = make_address("10.0.0.9", pinned="10.0.0.5")
    turns = [attempt(False) for _ in range(4)]
    assert turns == ["10.0.0.5", "10.0.0.9", "10.0.0.5", "10.0.0.9"], turns


def address_without_a_pinned_one_is_looked_up_until_found_and_kept():
    names, attempt = make_address(None)
    for _ in range(3):
        try:
            attempt(True)
            raise AssertionError("an address from nowhere")
        except OSError:
            pass
    names.address = "10.0.0.9"
    assert [attempt(True), attempt(False)] == ["10.0.0.9"] * 2
    names.address = None
    assert attempt(True) == "10.0.0.9"
    assert names.asked == 5


def settings(address=None, country=None):
    table = {
        "site": "north",
        "node": "n07",
        "board": "pico_w",
        "key": "5a" * 32,
        "wifi": {"ssid": "a", "passphrase": ""},
        "broker": {"host": "gateway.lan", "port": 1883},
        "x_m": 1,
        "y_m": 2,
        "pir": True,
    }
    if address is not None:
        table["broker"]["address"] = address
    if country is not None:
        table["wifi"]["country"] = country
    return table


def settings_hold_address_and_country():
    config = parse_config(settings("10.0.0.7", "DE"))
    assert (config.host, config.address, config.country) == ("gateway.lan", "10.0.0.7", "DE")
    config = parse_config(settings())
    assert (config.host, config.address, config.country) == ("gateway.lan", "", "XX")


def settings_with_an_invalid_address_or_country_are_refused():
    refuses(dict(settings(), broker={"host": "h", "port": True}), "broker.port")
    for address in (
        "",
        "gateway",
        "10.0.0.256",
        "10.0.0.-1",
        "1.2.3.4.5",
        "1.2.3",
        "a.b.c.d",
        7,
        [],
    ):
        refuses(settings(address=address), "broker.address")
    for country in ("", "de", "GER", "D", "1A", 49, []):
        refuses(settings(country=country), "wifi.country")


def refuses(table, name):
    try:
        parse_config(table)
    except ConfigError as error:
        assert name in str(error), error
    else:
        raise AssertionError(table)


globals()[sys.argv[1]]()
print("ok")
