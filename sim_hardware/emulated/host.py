# SPDX-License-Identifier: MIT
"""The USB host of an emulated board: sends a program's bytes to the board's console.

Without bytes to send, rp2040py 0.3.6 answers a ready endpoint with an empty packet. The board then
makes it ready again, and each answer is an interrupt that wakes the processor. A real host sends
no such packet.
"""

from __future__ import annotations

from rp2040py.device.base_device import BaseDevice

_FRAME_NANOS = 1_000_000  # of USB at full speed
_ROOM = 500  # of the 512 bytes that rp2040py's host holds


class Host:
    """Sends the board's console one packet a frame at most."""

    def __init__(self, device: BaseDevice) -> None:
        usb = device.mcu.usb_ctrl
        answer = usb.on_endpoint_read
        assert answer is not None
        self._cdc = device.cdc
        self._answer = answer
        self._ready: tuple[int, int] | None = None  # endpoint and size, unanswered
        usb.on_endpoint_read = self._on_ready
        self._alarm = device.mcu.clock.create_alarm(self._on_frame)
        self._alarm.schedule(_FRAME_NANOS)

    @property
    def room(self) -> int:
        """Bytes that `send` takes now."""
        return max(0, _ROOM - int(self._cdc.tx_fifo.item_count))

    def send(self, data: bytes) -> None:
        """Bytes for the board's console; at most `room` of them."""
        for octet in data:
            self._cdc.send_serial_byte(octet)

    def reset(self) -> None:
        """The board has left the bus."""
        self._ready = None

    def _on_ready(self, endpoint: int, size: int) -> None:
        if endpoint == self._cdc._out_endpoint:
            self._ready = (endpoint, size)
        else:
            self._answer(endpoint, size)

    def _on_frame(self) -> None:
        self._alarm.schedule(_FRAME_NANOS)
        if self._ready is not None and not self._cdc.tx_fifo.empty:
            ready, self._ready = self._ready, None
            self._answer(*ready)
