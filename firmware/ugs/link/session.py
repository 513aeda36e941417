# SPDX-License-Identifier: MIT
# link: the messages of a node over any link: sealed on their way up, opened and dispatched on their
# way down.

from micropython import const

from ugs.link.downlink import Downlink
from ugs.link.outbox import Outbox
from ugs.wire import codec, schema, seal

_PAYLOAD_MAX = const(128)
# Messages that the gateway answers with the time.
_ANSWERED = ("hello", "health")


class Session:
    # `node` has alive(), next_volatile(now_ms) -> (name, values) or None, on_connect(),
    # on_command(values) and on_chunk(values); `random` returns 0..1.
    #   connects, failures: how often the gateway was reached, and how often the connection was lost
    #   or failed; the link counts the failures
    #   received_ms: uptime of the newest authentic message from the gateway
    #   is_answered: the gateway has answered on this connection; echo_ms: when the message it
    #   answered last was sent
    #   volatile: (boot, seq) of the volatile message sealed last

    def __init__(self, config, keys, journal, clock, node, random):
        base = "groundwatch/v1/%s/%s/" % (config.site, config.node)
        self.up_topic = base + "up"
        self.down_topic = base + "down"
        self.is_answered = False
        self.received_ms = 0
        self.echo_ms = -1
        self.connects = 0
        self.failures = 0
        self.volatile = (0, 0)
        self.outbox = Outbox(journal.ledger, random)
        self.downlink = Downlink(keys, self.down_topic)
        self.alive = node.alive
        self.uptime_ms = clock.uptime_ms
        self._aad = self.up_topic.encode()
        self.keys = keys
        self._journal = journal
        self._clock = clock
        self._node = node
        self._buffer = bytearray(_PAYLOAD_MAX)
        self._boot = 0
        # t_ms of the volatile message sealed last, and the earliest uptime at which it was sent
        self._asked_ms = self._sent_ms = -1

    def wake(self):
        # There may be something to send. A link that waits replaces this by its own function.
        pass

    def rekey(self, keys):
        # Takes effect now; the link starts a new connection when it sees the new keys.
        self.keys = keys
        self.downlink.rekey(keys)
        self.is_answered = False

    def start_connection(self):
        # Also a new attempt: all messages without a receipt are sent again, after a hello.
        self.outbox.rewind()
        self._node.on_connect()

    def take(self, now_ms):
        # The next sealed message to send, or None.
        volatile = self._node.next_volatile(now_ms)
        if volatile is not None:
            return self.seal_volatile(*volatile)
        message = self.outbox.take(now_ms)
        return None if message is None else self._seal(schema.DURABLE, *message)

    def seal_volatile(self, name, values):
        length = codec.encode(self._buffer, name, values)
        self.volatile = boot, seq = self._journal.next_volatile()
        sealed = self._seal(schema.VOLATILE, boot, seq, self._buffer[:length])
        if name in _ANSWERED and values["t_ms"] != self._asked_ms:
            # Sealing and opening take a board longer than the transmission: exclude them from the
            # round trip.
            self._asked_ms, self._sent_ms = values["t_ms"], self.uptime_ms()
        return sealed

    def _seal(self, space, boot, seq, payload):
        piv = seal.up_piv(space, boot, seq)
        return seal.seal(self.keys.up_key, self.keys.up_iv, piv, payload, self._aad)

    def receive(self, topic, data):
        # Handles a downlink message; topic and data are bytes. Returns whether it was authentic;
        # never raises.
        arrived_ms = self.uptime_ms()
        if self._boot != self._journal.boot:
            self._boot = self._journal.boot
            self.downlink.start_boot(self._boot)
        message = self.downlink.open(topic, data)
        if message is None:
            return False
        name, values = message
        self.received_ms = arrived_ms
        if name == "receipt":
            self.outbox.receive(values["upto"], self._clock.uptime_ms())
            self._journal.settle()
        elif name == "time":
            self.is_answered = True
            self.echo_ms = values["echo_ms"]
            sent_ms = self._sent_ms if self.echo_ms == self._asked_ms else self.echo_ms
            self._clock.set_wall(values["utc_ms"], sent_ms, arrived_ms)
        elif name == "chunk":
            self._node.on_chunk(values)
        else:
            self._node.on_command(values)
        self.wake()
        return True
