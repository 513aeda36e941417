# SPDX-License-Identifier: MIT
# link: from no network to a served broker and back, for ever.

import asyncio
import gc

from micropython import const

from ugs.link import packets
from ugs.link.downlink import Downlink
from ugs.link.mqtt import KEEPALIVE_S, Connection
from ugs.link.outbox import Outbox
from ugs.tasks import until_one_ends
from ugs.wire import codec, schema, seal

_BACKOFF_MS_MIN = const(1_000)
_BACKOFF_MS_MAX = const(60_000)
_SEND_EVERY_MS = const(50)
_PAYLOAD_MAX = const(128)
# The gateway refuses what is 1024 volatile numbers old (gateway.ingest.sequence.WINDOW), and a Will
# is as old as its connection: before that (15 h of heartbeats) it is replaced by connecting anew.
_WILL_AGE_MAX = const(900)
_LINK_LOST = schema.enum_value("condition", "kind", "link_lost")


class Session:
    # `node` gives alive(), next_volatile(now_ms) -> (name, values) or None, on_connect(),
    # on_command(values) and on_part(values); `random` gives 0..1.
    #   connects, failures: how often that was reached, and how often an attempt or a session failed
    #   is_answered: the gateway has answered on this connection; echo_ms: when what it answered
    #   last was sent

    def __init__(self, config, keys, journal, wifi, clock, node, random):
        base = "groundwatch/v1/%s/%s/" % (config.site, config.node)
        self.is_answered = False
        self.echo_ms = -1
        self.connects = 0
        self.failures = 0
        self.outbox = Outbox(journal.ledger, random)
        self.downlink = Downlink(keys, base + "down")
        self._up_topic = base + "up"
        self._down_topic = base + "down"
        self._aad = self._up_topic.encode()
        self._config = config
        self._keys = keys
        self._journal = journal
        self._wifi = wifi
        self._clock = clock
        self._node = node
        self._random = random
        self._backoff_ms = _BACKOFF_MS_MIN
        self._buffer = bytearray(_PAYLOAD_MAX)
        self._boot = 0
        # Identities of the volatile message sealed last, and of the Will the broker holds.
        self._volatile = self._will = (0, 0)

    async def run(self):
        while True:
            self.is_answered = False
            try:
                self._node.alive()
                await self._wifi.join()
                await self._serve()
            except (OSError, EOFError, packets.MqttError, asyncio.TimeoutError) as error:
                self.failures += 1
                print("link failed cause=%s" % (str(error) or type(error).__name__))
            gc.collect()
            if self.is_answered:
                # The way to the gateway was whole: this was a short break, not an outage.
                self._backoff_ms = _BACKOFF_MS_MIN
            await self._wait(int(self._backoff_ms * (0.5 + self._random())))
            self._backoff_ms = min(2 * self._backoff_ms, _BACKOFF_MS_MAX)

    async def _wait(self, wait_ms):
        while wait_ms > 0:
            self._node.alive()
            await asyncio.sleep_ms(min(wait_ms, 1000))
            wait_ms -= 1000

    async def _serve(self):
        connection = Connection(self._on_message)
        try:
            self._node.alive()
            await connection.open(
                self._config.host, self._config.port, self._connect_packet(), self._down_topic
            )
            self.connects += 1
            self._wifi.reached()
            print("link up host=%s port=%d" % (self._config.host, self._config.port))
            self.outbox.rewind()
            self._node.on_connect()
            await until_one_ends(connection.read(), connection.keep_alive(), self._send(connection))
            # Without a farewell the broker would speak the Will.
            await connection.close(politely=True)
        finally:
            await connection.close()

    def _connect_packet(self):
        # The Will is an ordinary sealed message with a number of its own, spoken by the broker.
        will = {"t_ms": self._clock.uptime_ms(), "kind": _LINK_LOST, "active": 1}
        sealed = self._seal_volatile("condition", will)
        self._will = self._volatile
        config = self._config
        return packets.connect(
            config.node,
            config.node,
            self._keys.mqtt_password,
            self._up_topic,
            sealed,
            KEEPALIVE_S,
        )

    async def _send(self, connection):
        # Returns when the Will has to be replaced.
        while not self._is_will_old():
            self._node.alive()
            now_ms = self._clock.uptime_ms()
            volatile = self._node.next_volatile(now_ms)
            if volatile is not None:
                await connection.publish(self._up_topic, self._seal_volatile(*volatile))
            message = self.outbox.take(now_ms)
            if message is not None:
                boot, seq, payload = message
                await connection.publish(
                    self._up_topic, self._seal(schema.DURABLE, boot, seq, payload)
                )
            if volatile is None and message is None:
                await asyncio.sleep_ms(_SEND_EVERY_MS)

    def _is_will_old(self):
        boot, seq = self._volatile
        return boot != self._will[0] or seq - self._will[1] >= _WILL_AGE_MAX

    def _seal_volatile(self, name, values):
        length = codec.encode(self._buffer, name, values)
        self._volatile = boot, seq = self._journal.next_volatile()
        return self._seal(schema.VOLATILE, boot, seq, self._buffer[:length])

    def _seal(self, lane, boot, seq, payload):
        piv = seal.up_piv(lane, boot, seq)
        return seal.seal(self._keys.up_key, self._keys.up_iv, piv, payload, self._aad)

    def _on_message(self, topic, data):
        if self._boot != self._journal.boot:
            self._boot = self._journal.boot
            self.downlink.start_boot(self._boot)
        message = self.downlink.open(topic, data)
        if message is None:
            return
        name, values = message
        if name == "receipt":
            self.outbox.receive(values["upto"], self._clock.uptime_ms())
        elif name == "time":
            self.is_answered = True
            self.echo_ms = values["echo_ms"]
            self._clock.set_wall(values["utc_ms"], values["echo_ms"])
        elif name == "part":
            self._node.on_part(values)
        else:
            self._node.on_command(values)
