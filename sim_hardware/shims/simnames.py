# SPDX-License-Identifier: MIT
# Link, simulated: the name server of the network. It knows one address for every name.

import simclock
import simhardware

_ADDRESS = bytes((10, 0, 0, 1))
_DELAY_US = 20_000
_PORT = 53


def ask(datagram, place, answer):
    # A datagram goes out to `place`; answer(data, place) is called when one comes back.
    t_us = simclock.now()
    if place[1] != _PORT or simhardware.names_are_away(t_us):
        return
    # The question again, and one record that points at its name (RFC 1035 sections 4.1.3, 4.1.4).
    head = datagram[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + _ADDRESS

    def arrive(_t_us):
        answer(head + datagram[12:] + record, place)

    simclock.at(t_us + _DELAY_US, arrive)
