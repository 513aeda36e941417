# SPDX-License-Identifier: MIT
"""Connectors, udp_plots: the socket."""

from __future__ import annotations

import asyncio

from gateway.ports.connector import Context, Port
from groundwatch_examples.udp_plots.config import UdpPlotsConfig
from groundwatch_examples.udp_plots.translate import parse


class UdpPlots:
    """What fails is raised: the gateway starts `run` again."""

    def __init__(self, config: UdpPlotsConfig) -> None:
        self._config = config

    @classmethod
    def make(cls, config: UdpPlotsConfig, _context: Context) -> UdpPlots:
        """No I/O here."""
        return cls(config)

    async def run(self, port: Port) -> None:
        """Until cancelled. Raises OSError."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Receiver(port, ended), local_addr=(self._config.host, self._config.port)
        )
        port.status.connected(port.clock_us())
        try:
            await ended
        finally:
            transport.close()


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, port: Port, ended: asyncio.Future[None]) -> None:
        self._port = port
        self._ended = ended

    def datagram_received(self, data: bytes, _address: object) -> None:
        """Never waits: `offer` counts what is invalid and what finds the queue full."""
        port = self._port
        try:
            plot = parse(data, port.name, port.site)
        except ValueError:
            port.status.counters["rejected"] += 1
            return
        port.offer(plot)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        if not self._ended.done():
            self._ended.set_exception(error or ConnectionError("the socket was closed"))
