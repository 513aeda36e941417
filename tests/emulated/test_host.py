# SPDX-License-Identifier: MIT
"""The USB host at the board: bytes for its console come in packets, and nothing comes without."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rp2040py.rp2040 import RP2040
from rp2040py.usb.cdc import USBCDC

from sim_hardware.emulated.host import Host

CONSOLE = 2  # its endpoint
FRAME_NANOS = 1_000_000


@pytest.fixture
def bus():
    mcu = RP2040()
    cdc = USBCDC(mcu.usb_ctrl)
    sent = []
    mcu.usb_ctrl.endpoint_read_done = lambda endpoint, data: sent.append((endpoint, bytes(data)))
    host = Host(SimpleNamespace(mcu=mcu, cdc=cdc))
    cdc._out_endpoint = CONSOLE
    return SimpleNamespace(
        host=host,
        sent=sent,
        ready=mcu.usb_ctrl.on_endpoint_read,
        frames=lambda count: [mcu.clock.tick(FRAME_NANOS) for _ in range(count)],
    )


def test_host_with_nothing_to_send_leaves_the_board_alone(bus):
    bus.ready(CONSOLE, 64)
    bus.frames(100)
    assert bus.sent == []


def test_host_sends_what_came_before_and_after_the_board_was_ready(bus):
    bus.host.send(b"before")
    bus.frames(1)
    assert bus.sent == []
    bus.ready(CONSOLE, 64)
    bus.frames(1)
    bus.ready(CONSOLE, 64)
    bus.frames(5)
    bus.host.send(b"after")
    bus.frames(5)
    assert bus.sent == [(CONSOLE, b"before"), (CONSOLE, b"after")]


def test_host_sends_a_packet_in_a_frame_and_takes_no_more_than_it_has_room_for(bus):
    assert bus.host.room == 500
    bus.host.send(bytes(100))
    assert bus.host.room == 400
    bus.ready(CONSOLE, 64)
    bus.frames(3)
    assert [len(data) for _endpoint, data in bus.sent] == [64]
    bus.ready(CONSOLE, 64)
    bus.frames(3)
    assert [len(data) for _endpoint, data in bus.sent] == [64, 36]


def test_host_forgets_a_board_that_left_the_bus(bus):
    bus.ready(CONSOLE, 64)
    bus.host.reset()
    bus.host.send(b"late")
    bus.frames(3)
    assert bus.sent == []
