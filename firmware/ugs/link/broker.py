# SPDX-License-Identifier: MIT
# link: over Wi-Fi: joins the network, connects to the broker and serves it, repeatedly.

import asyncio
import gc

from micropython import const

from ugs.lines import note
from ugs.link import packets
from ugs.link.address import BrokerAddress
from ugs.link.mqtt import KEEPALIVE_S, Connection
from ugs.link.wifi import Wifi
from ugs.tasks import until_one_ends
from ugs.wire import schema

_BACKOFF_MS_MIN = const(1_000)
_BACKOFF_MS_MAX = const(60_000)
_FLUSH_MS = const(200)  # lets a DISCONNECT leave before the radio is switched off
_SHUT_WAIT_MS = const(4_000)
# The gateway rejects messages that are 1024 volatile numbers old (gateway.intake.sequence.WINDOW).
# A Will is as old as its connection, so it is replaced by reconnecting before that: after 15 h of
# heartbeats or an hour of footfall reports.
_WILL_AGE_MAX = const(900)
# Six times five minutes without a network, although the radio was power-cycled each time.
_RADIO_CYCLES_MAX = const(6)
_LINK_LOST = schema.enum_value("condition", "kind", "link_lost")


class BrokerLink:
    # `wlan` is a station (boards.station); `random` returns 0..1.
    #   burst: a ugs.remote.burst if the radio is on only to send; opened_ms: when it was switched
    #   on
    #   is_shut: set by ugs.health: the radio is off and stays off to spare the battery

    def __init__(self, config, password, session, wlan, random):
        self.is_shut = False
        self.burst = None
        self.opened_ms = 0
        self._config = config
        self._address = BrokerAddress(config.host, config.address)
        self._password = password
        self._session = session
        self._wifi = Wifi(wlan, config.ssid, config.passphrase)
        self._random = random
        self._news = asyncio.Event()
        session.wake = self._news.set
        self._backoff_ms = _BACKOFF_MS_MIN
        # Identity of the Will that the broker holds, and the keys it was sealed with.
        self._will = (0, 0)
        self._keys = None

    def rssi_dbm(self):
        return self._wifi.rssi_dbm()

    def is_hopeless(self):
        # Only a restart can help.
        return self._wifi.cycles >= _RADIO_CYCLES_MAX

    async def run(self):
        session = self._session
        while True:
            session.is_answered = False
            if self.is_shut:
                self._wifi.switch_off()
                if self.burst is not None:
                    self.burst.note_off()
                await self._wait(_SHUT_WAIT_MS)
                continue
            if self.burst is not None:
                await self.burst.rest()
                if self.is_shut:
                    continue
            try:
                session.alive()
                await self._wifi.join()
                await self._serve()
            except (OSError, EOFError, packets.MqttError, asyncio.TimeoutError) as error:
                session.failures += 1
                note("link failed cause=%s" % (str(error) or type(error).__name__))
            gc.collect()
            if session.is_answered:
                # The gateway was reached: this was a short interruption, not an outage.
                self._backoff_ms = _BACKOFF_MS_MIN
            if self.burst is not None:
                await self._wait(self.burst.wait_ms(self._random()))
                continue
            await self._wait(int(self._backoff_ms * (0.5 + self._random())))
            self._backoff_ms = min(2 * self._backoff_ms, _BACKOFF_MS_MAX)

    async def _wait(self, wait_ms):
        while wait_ms > 0:
            self._session.alive()
            await asyncio.sleep_ms(min(wait_ms, 1000))
            wait_ms -= 1000

    async def _serve(self):
        session, config = self._session, self._config
        connection = Connection(session.receive)
        address = await self._address.choose(self._wifi.name_server())
        try:
            session.alive()
            self._address.failed()
            await connection.open(address, config.port, self._connect_packet(), session.down_topic)
            self._address.reached()
            self._wifi.reached()
            # In bursts it connects all day: that would push all other lines out of the log.
            show = note if self.burst is None else print
            show("link up host=%s address=%s port=%d" % (config.host, address, config.port))
            session.connects += 1
            session.start_connection()
            await until_one_ends(connection.read(), connection.keep_alive(), self._send(connection))
            # Without a DISCONNECT the broker would publish the Will.
            await connection.close(disconnect=True)
        finally:
            await connection.close()
            if self.burst is not None:
                await asyncio.sleep_ms(_FLUSH_MS)

    def _connect_packet(self):
        # The Will is an ordinary sealed message with its own number, published by the broker.
        session, name = self._session, self._config.node
        will = {"t_ms": session.uptime_ms(), "kind": _LINK_LOST, "active": 1}
        sealed = session.seal_volatile("condition", will)
        self._will, self._keys = session.volatile, session.keys
        return packets.connect(name, name, self._password, session.up_topic, sealed, KEEPALIVE_S)

    async def _send(self, connection):
        # Returns when the Will has to be replaced, or the radio is to be switched off.
        session = self._session
        moved_ms = self.opened_ms = session.uptime_ms()
        while not self.is_shut and not self._is_will_old():
            session.alive()
            self._news.clear()
            message = session.take(session.uptime_ms())
            if message is not None:
                moved_ms = session.uptime_ms()
                await connection.publish(session.up_topic, message)
            elif self.burst is not None and self.burst.is_over(moved_ms):
                return
            else:
                await self._news.wait()

    def _is_will_old(self):
        boot, seq = self._session.volatile
        is_past = boot != self._will[0] or self._keys is not self._session.keys
        return is_past or seq - self._will[1] >= _WILL_AGE_MAX
