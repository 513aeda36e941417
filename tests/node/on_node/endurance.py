# SPDX-License-Identifier: MIT
# endurance.py FOLDER COUNT: COUNT messages through journal, ledger, outbox and seal, with receipts
# that are sealed as the gateway does; prints the bytes in use after each tenth of them.

import gc
import sys

from ugs.ledger.journal import Journal
from ugs.link.session import Session
from ugs.wire import codec, keys, schema, seal

KEYS = keys.derive(bytes(range(32)))
DETECTION = {
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}
HEALTH = {"battery_mv": 3900, "rssi_dbm": -60, "floor_um_s_x100": 12, "samples_missed": 0}


class Config:
    site, node = "north", "n07"


class Clock:
    def __init__(self):
        self.now_ms = 0

    def uptime_ms(self):
        return self.now_ms

    def set_wall(self, utc_ms, sent_ms, arrived_ms):
        pass


class Node:
    # Every eighth message is a heartbeat, which the gateway answers with the time.
    def __init__(self, clock):
        self._clock = clock
        self.is_due = False

    def alive(self):
        pass

    def on_connect(self):
        pass

    def next_volatile(self, now_ms):
        if not self.is_due:
            return None
        self.is_due = False
        return "health", dict(HEALTH, t_ms=now_ms, ledger_pending=0)


class Gateway:
    def __init__(self, session, journal):
        self._session = session
        self._journal = journal
        self._topic = session.down_topic
        self._counter = 0

    def send(self, name, values):
        self._counter += 1
        buffer = bytearray(64)
        size = codec.encode(buffer, name, values)
        piv = self._counter.to_bytes(5, "big")
        while not piv[0]:
            piv = piv[1:]
        aad = seal.down_aad(self._topic, self._journal.boot)
        sealed = seal.seal(KEYS.down_key, KEYS.down_iv, piv, bytes(buffer[:size]), aad)
        assert self._session.receive(self._topic.encode(), sealed)


def main(folder, count):
    clock = Clock()
    node = Node(clock)
    journal = Journal(folder)
    journal.open()
    session = Session(Config, KEYS, journal, clock, node, lambda: 0.5)
    gateway = Gateway(session, journal)
    session.start_connection()
    sent = made = 0
    held = {}  # by boot: a gateway gives receipts for the boots before as well
    while made < count:
        clock.now_ms = (clock.now_ms + 500) & 0xFFFFFFFF
        phase = schema.enum_value("detection", "phase", ("onset", "update", "end")[made % 3])
        boot, seq, is_kept = journal.record(
            "detection", dict(DETECTION, t_ms=clock.now_ms, phase=phase)
        )
        assert is_kept
        made += 1
        held[boot] = seq
        node.is_due = made % 8 == 0
        while session.take(clock.now_ms) is not None:
            sent += 1
        if made % 4 == 0:
            gateway.send("receipt", {"upto": [n for pair in sorted(held.items()) for n in pair]})
            held = {boot: seq}
        if made % 8 == 0:
            gateway.send("time", {"utc_ms": 1_800_000_000_000, "echo_ms": clock.now_ms})
        if made % 120 == 0:
            journal.ledger.trim()
        if made % (count // 10) == 0:
            gc.collect()
            print("used", gc.mem_alloc(), gc.mem_free())
    print("sent", sent, "boot", journal.boot, "resends", session.outbox.resends)


main(sys.argv[1], int(sys.argv[2]))
