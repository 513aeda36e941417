# SPDX-License-Identifier: MIT
# Gateway, simulated: writes every uplink to a file and answers as the gateway does, so that a node
# in virtual time gets its receipts and the time. The real gateway reads the file afterwards.

import binascii
import json

import simclock
import simhardware

# The gateway sends receipts after the commit, over 200 ms later; it sends the time at once.
_RECEIPT_US = 250_000
_TIME_US = 2_000

_station = None


def _gateway():
    global _station
    if _station is None:
        _station = _Gateway()
    return _station


def allowed(client, user, password):
    return _gateway().allowed(client, user, password)


def uplink(topic, payload, broker):
    _gateway().uplink(topic, payload, broker)


class _Gateway:
    def __init__(self):
        from ugs.ratchet import Ratchet

        with open("node.json") as file:
            config = json.load(file)
        self._node = config["node"]
        ratchet = Ratchet("state", config.get("key") and binascii.unhexlify(config["key"]))
        self._key, self._keys, self._epoch = ratchet.key, ratchet.keys, ratchet.epoch
        base = "groundwatch/v1/%s/%s/" % (config["site"], self._node)
        self._up_topic = base + "up"
        self._down_topic = base + "down"
        self._counter = 0
        self._boot = 0
        self._held = {}  # boot: [highest seq with none missing before it, those beyond a gap]
        self._receipt_due = False
        self._broker = None
        self._restore(simhardware.settings.uplinks)
        self._file = open(simhardware.settings.uplinks, "a")

    def _restore(self, path):
        # What was committed before the node's reset is still committed.
        try:
            lines = open(path)
        except OSError:
            return
        for line in lines:
            opened = self._open(binascii.unhexlify(json.loads(line)["payload"]))
            if opened is not None and opened[0] == 0:
                self._hold(*opened[1:])
        lines.close()

    def allowed(self, client, user, password):
        node = self._node.encode()
        return client == node and user == node and password == self._keys.mqtt_password.encode()

    def uplink(self, topic, payload, broker):
        t_us = simclock.now()
        line = '{"t_us": %d, "topic": %s, "payload": "%s"}\n'
        self._file.write(line % (t_us, json.dumps(topic), binascii.hexlify(payload).decode()))
        self._file.flush()
        if broker is None or topic != self._up_topic:
            return
        self._broker = broker
        opened = self._open(payload)
        if opened is None:
            return
        counter_space, boot, seq, name, values = opened
        # Records of older boots still arrive from the ledger. Downlinks are for the newest boot,
        # which a hello names. Boot numbers may start again at 1.
        self._boot = boot if name == "hello" else self._boot or boot
        if counter_space == 0:
            self._commit(boot, seq, name, values)
        elif name == "hello":
            oldest = values.get("oldest_seq")
            if oldest is not None:
                self._close_gap(boot, oldest - 1)
        if name in ("hello", "health"):
            self._at(_TIME_US, lambda: self._send_time(values["t_ms"]))

    def _open(self, payload):
        from ugs.wire import codec
        from ugs.wire.errors import WireError

        try:
            piv, plain = self._unseal(payload)
            name, values = codec.decode(plain)
        except WireError as error:
            print("sim: uplink refused reason=%s" % error.reason)
            return None
        counter_space = len(piv) - 4
        boot, seq = piv[counter_space : counter_space + 2], piv[counter_space + 2 :]
        return counter_space, int.from_bytes(boot, "big"), int.from_bytes(seq, "big"), name, values

    def _unseal(self, payload):
        from ugs.wire import keys, seal
        from ugs.wire.errors import WireError

        aad, now = self._up_topic.encode(), self._keys
        try:
            return seal.open_sealed(now.up_key, now.up_iv, payload, aad)
        except WireError:
            # The node may have rotated to its next key epoch.
            key = keys.next_key(self._key, self._epoch + 1)
            then = keys.Keys(key, b"")
            opened = seal.open_sealed(then.up_key, then.up_iv, payload, aad)
            then.mqtt_password = now.mqtt_password
            self._key, self._keys, self._epoch = key, then, self._epoch + 1
            return opened

    def _hold(self, boot, seq, name, values):
        row = self._held.setdefault(boot, [0, []])
        if seq > row[0] and seq not in row[1]:
            row[1].append(seq)
        if name == "condition" and values.get("kind") == 6:  # records_dropped up to `value`
            self._close_gap(values.get("boot", boot), values.get("value", 0))
        self._close_gap(boot, row[0])

    def _commit(self, boot, seq, name, values):
        self._hold(boot, seq, name, values)
        if not self._receipt_due:
            self._receipt_due = True
            self._at(_RECEIPT_US, self._send_receipt)

    def _close_gap(self, boot, upto):
        row = self._held.setdefault(boot, [0, []])
        row[0] = max(row[0], upto)
        while row[0] + 1 in row[1]:
            row[0] += 1
        row[1] = [seq for seq in row[1] if seq > row[0]]

    def _send_receipt(self):
        self._receipt_due = False
        upto = []
        for boot in sorted(self._held)[-8:]:
            if self._held[boot][0]:
                upto += (boot, self._held[boot][0])
        if upto:
            self._send("receipt", {"upto": upto})

    def _send_time(self, echo_ms):
        # The gateway's clock has no error, unlike the node's crystal (sim_hardware.crystal).
        now_us, fast = simclock.now(), simhardware.settings.clock_ppb
        true_us = now_us - now_us * fast // (1_000_000_000 + fast)
        utc_ms = simhardware.settings.t0_epoch_ms + true_us // 1000
        self._send("time", {"utc_ms": utc_ms, "echo_ms": echo_ms})

    def _send(self, name, values):
        from ugs.wire import codec, seal

        self._counter += 1
        # Each boot counts in a block of its own: no counter is used twice under one key.
        counter = (self._boot << 16) + self._counter
        piv = counter.to_bytes(5, "big")
        while not piv[0]:
            piv = piv[1:]
        buffer = bytearray(256)
        size = codec.encode(buffer, name, values)
        sealed = seal.seal(
            self._keys.down_key,
            self._keys.down_iv,
            piv,
            bytes(buffer[:size]),
            seal.down_aad(self._down_topic, self._boot),
        )
        self._broker.publish(self._down_topic, sealed)

    def _at(self, delay_us, call):
        def fire(_t_us):
            call()

        simclock.at(simclock.now() + delay_us, fire)
