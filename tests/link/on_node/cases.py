# SPDX-License-Identifier: MIT
# One case of the modules around the MQTT client: cases.py CASE FOLDER; prints "ok".

import sys

from ugs.ledger.journal import Journal
from ugs.link.commands import Commands
from ugs.link.downlink import Downlink
from ugs.link.outbox import Outbox
from ugs.link.wifi import Wifi, WifiError
from ugs.wire import codec, keys, seal

KEYS = keys.derive(bytes(range(32)))
TOPIC = "groundwatch/v1/north/n07/down"


def open_outbox(count, boots=1):
    for _ in range(boots):
        journal = Journal(sys.argv[2])
        journal.open()
        for i in range(count):
            journal.record("result", {"t_ms": i, "command_id": i, "status": 0})
    return journal, Outbox(journal.ledger, lambda: 0.5)


def drain(outbox, now_ms):
    taken = []
    message = outbox.take(now_ms)
    while message is not None:
        taken.append(message[:2])
        message = outbox.take(now_ms)
    return taken


def outbox_keeps_eight_awaiting():
    _, outbox = open_outbox(20)
    assert drain(outbox, 0) == [(1, seq) for seq in range(1, 9)]
    outbox.receive([1, 3], 100)
    assert drain(outbox, 100) == [(1, seq) for seq in range(9, 12)]
    outbox.receive([1, 20], 200)
    assert drain(outbox, 200) == []


def outbox_without_receipt_sends_again_oldest_first():
    _, outbox = open_outbox(3)
    first = drain(outbox, 0)
    assert drain(outbox, 9_999) == []
    assert drain(outbox, 12_500) == first
    assert outbox.resends == 1
    outbox.rewind()
    assert drain(outbox, 12_600) == first


def outbox_lost_message_of_an_older_boot_is_not_held_up_by_those_that_get_through():
    _, outbox = open_outbox(2, boots=2)
    drain(outbox, 0)
    for now_ms in range(1_000, 12_000, 1_000):
        outbox.receive([2, 1], now_ms)
    assert drain(outbox, 12_500) == [(1, 1), (1, 2), (2, 2)]


def outbox_new_message_follows_at_once():
    journal, outbox = open_outbox(2)
    drain(outbox, 0)
    journal.record("result", {"t_ms": 1, "command_id": 1, "status": 0})
    assert drain(outbox, 50) == [(1, 3)]


def outbox_without_receipts_sends_one_message_ahead():
    journal, outbox = open_outbox(20)
    for now_ms in range(0, 60_000, 100):
        drain(outbox, now_ms)
    assert outbox.is_stuck()
    boot, seq, _ = journal.record("result", {"t_ms": 1, "command_id": 1, "status": 0})
    outbox.send_first(boot, seq)
    assert outbox.take(60_000)[:2] == (1, 21)
    assert not outbox.is_stuck()


def outbox_after_reboot_starts_with_the_oldest_boot():
    _, outbox = open_outbox(2, boots=2)
    assert drain(outbox, 0) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    outbox.receive([1, 2, 2, 1], 100)
    outbox.rewind()
    assert drain(outbox, 200) == [(2, 2)]


DETECTION = {
    "phase": 1,
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}


def detect(journal, count):
    for i in range(count):
        journal.record("detection", dict(DETECTION, t_ms=i))


def outbox_with_a_backlog_sends_the_newest_detections_first():
    journal, outbox = open_outbox(0)
    detect(journal, 200)
    for i in range(5):
        journal.record("result", {"t_ms": i, "command_id": i, "status": 0})
    outbox.rewind()
    newest = [(1, seq) for seq in range(193, 206)]
    backlog = [(1, seq) for seq in range(1, 193)]
    taken = drain(outbox, 0)
    assert taken == newest + backlog[:8], taken
    # New messages do not wait for the backlog.
    detect(journal, 1)
    assert drain(outbox, 50) == [(1, 206)]
    got = 8
    while got < 192:
        outbox.receive([1, got], 100)
        taken = drain(outbox, 100)
        assert taken == backlog[got : got + 8], taken
        got += len(taken)
    # Messages sent ahead get no receipt until the whole backlog has arrived; then all do.
    assert drain(outbox, 5_000) == [] and outbox.resends == 0
    detect(journal, 1)
    outbox.receive([1, 206], 5_100)
    assert drain(outbox, 5_100) == [(1, 207)]
    outbox.receive([1, 207], 5_200)
    assert drain(outbox, 60_000) == [] and outbox.resends == 0


def outbox_message_lost_ahead_of_the_backlog_comes_again():
    journal, outbox = open_outbox(0, boots=2)
    detect(journal, 20)
    outbox.rewind()
    assert drain(outbox, 0) == [(2, seq) for seq in list(range(13, 21)) + list(range(1, 9))]
    outbox.receive([2, 8], 100)
    drain(outbox, 100)
    # 15 was lost on the way.
    outbox.receive([2, 14], 200)
    assert drain(outbox, 200) == []
    assert drain(outbox, 13_000) == [(2, seq) for seq in range(15, 21)]


def outbox_backlog_of_an_older_boot_does_not_hold_up_this_one():
    journal = Journal(sys.argv[2])
    journal.open()
    detect(journal, 30)
    journal = Journal(sys.argv[2])
    journal.open()
    detect(journal, 12)
    outbox = Outbox(journal.ledger, lambda: 0.5)
    taken = drain(outbox, 0)
    assert taken == [(2, s) for s in range(5, 13)] + [(1, s) for s in range(1, 9)], taken
    got = 8
    while got < 34:
        outbox.receive([1, min(got, 30)] + ([2, got - 30] if got > 30 else []), 100)
        got += len(drain(outbox, 100))
    outbox.receive([1, 30, 2, 12], 200)
    assert drain(outbox, 60_000) == [] and outbox.resends == 0


def sealed(counter, name="time", boot=3, topic=TOPIC, values=None):
    buffer = bytearray(200)
    length = codec.encode(buffer, name, values or {"utc_ms": 5, "echo_ms": 6})
    size = 1
    while counter >> 8 * size:
        size += 1
    piv = counter.to_bytes(size, "big")
    aad = topic.encode() + boot.to_bytes(2, "big")
    return seal.seal(KEYS.down_key, KEYS.down_iv, piv, buffer[:length], aad)


def downlink():
    made = Downlink(KEYS, TOPIC)
    made.start_boot(3)
    return made


def downlink_opens_once():
    receiver = downlink()
    for counter in (5, 300, 70_000, 69_990, 69_937):
        data = sealed(counter)
        assert receiver.open(TOPIC.encode(), data) == ("time", {"utc_ms": 5, "echo_ms": 6})
        assert receiver.open(TOPIC.encode(), data) is None and receiver.reason == "replay"
    assert receiver.open(TOPIC.encode(), sealed(69_936)) is None  # behind the window of 64
    assert receiver.refused == 6


def downlink_refuses_messages_of_another_boot():
    receiver = downlink()
    assert receiver.open(TOPIC.encode(), sealed(9, boot=2)) is None
    assert receiver.open(TOPIC.encode(), sealed(9, topic=TOPIC[:-4] + "up")) is None
    assert receiver.open(b"groundwatch/v1/north/n08/down", sealed(9)) is None
    # A refused message has used up no counter.
    assert receiver.open(TOPIC.encode(), sealed(9)) is not None


def downlink_refuses_every_changed_bit():
    receiver = downlink()
    data = sealed(9)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        assert receiver.open(TOPIC.encode(), bytes(changed)) is None
        assert receiver.open(TOPIC.encode(), data[:at]) is None
    assert receiver.refused == 2 * len(data)


def downlink_refuses_an_uplink_message():
    receiver = downlink()
    values = {"t_ms": 1, "command_id": 1, "status": 0}
    assert receiver.open(TOPIC.encode(), sealed(9, "result", values=values)) is None
    assert receiver.reason == "wrong_direction"


def commands_are_done_once_and_answered():
    results = []
    reboots = []
    commands = Commands(
        lambda _name, values: results.append(values), lambda: reboots.append(1), None
    )
    commands.take({"id": 1, "kind": 1}, 100)
    commands.take({"id": 1, "kind": 1}, 110)
    commands.take({"id": 2, "kind": 3}, 120)
    commands.take({"id": 3, "kind": 2, "expires_ms": 120}, 121)
    assert not reboots
    commands.take({"id": 4, "kind": 2, "expires_ms": 200}, 130)
    # ok, unsupported, expired, ok (ugs.wire.schema RESULT_STATUS)
    assert [(r["command_id"], r["status"]) for r in results] == [(1, 0), (2, 2), (3, 4), (4, 0)]
    assert len(reboots) == 1 and commands.repeated == 1


def commands_of_other_kinds_are_passed_on_once_and_in_time():
    results = []
    taken = []

    def take_remote(command, _now_ms):
        taken.append(command["id"])
        return (0, 5, b"\x01") if command["kind"] == 4 else None

    commands = Commands(lambda _name, values: results.append(values), None, None, take_remote)
    commands.take({"id": 1, "kind": 4, "expires_ms": 99}, 100)
    commands.take({"id": 2, "kind": 4, "expires_ms": 100}, 100)
    commands.take({"id": 2, "kind": 4}, 100)
    commands.take({"id": 3, "kind": 7}, 100)
    commands.take({"id": 4, "kind": 3}, 100)
    assert taken == [2, 3, 4] and commands.repeated == 1
    assert [(r["command_id"], r["status"], r.get("data")) for r in results] == [
        (1, 4, None),
        (2, 0, b"\x01"),
    ]


class Radio:
    # A station interface that joins only after its power was off.
    def __init__(self):
        self.on = False
        self.stuck = True
        self.offs = 0
        self.joined = False

    def power_up(self):
        self.on = True

    def power_down(self):
        self.stuck = self.on = False
        self.offs += 1

    def connect(self, ssid, key):
        assert self.on and key is None
        self.joined = not self.stuck

    def disconnect(self):
        self.joined = False

    def isconnected(self):
        return self.joined

    def status(self, name=None):
        if name == "rssi":
            raise OSError("not joined")
        return -2


def wifi_stuck_radio_is_powered_down():
    import asyncio

    import ugs.link.wifi as module

    # Test time: a wait only advances it.
    now = [0]

    async def sleep_ms(ms):
        now[0] += ms

    module.ticks_ms = lambda: now[0]
    module.ticks_diff = lambda a, b: a - b
    asyncio.sleep_ms, plain = sleep_ms, asyncio.sleep_ms
    radio = Radio()
    wifi = Wifi(radio, "net", "")

    async def keep_trying():
        failures = 0
        while True:
            try:
                await wifi.join()
                return failures
            except WifiError:
                failures += 1

    failures = asyncio.run(keep_trying())
    asyncio.sleep_ms = plain
    assert (radio.offs, failures, wifi.cycles) == (1, 15, 0), (radio.offs, failures, wifi.cycles)
    assert wifi.rssi_dbm() == -128


def wifi_radio_that_does_not_start_counts_towards_a_restart():
    import asyncio

    import ugs.link.wifi as module

    now = [0]

    async def sleep_ms(ms):
        now[0] += ms

    class Dead(Radio):
        # As the CYW43 driver reports a chip that does not answer.
        def power_up(self):
            raise OSError(1)

    module.ticks_ms = lambda: now[0]
    module.ticks_diff = lambda a, b: a - b
    asyncio.sleep_ms, plain = sleep_ms, asyncio.sleep_ms
    wifi = Wifi(Dead(), "net", "")
    cycles = []
    for _ in range(65):
        try:
            asyncio.run(wifi.join())
            raise AssertionError("it joined")
        except OSError:
            cycles.append(wifi.cycles)
        now[0] += 31_000
    asyncio.sleep_ms = plain
    assert cycles[0] == 0 and cycles[-1] == 6, cycles


def wifi_joined_without_a_reachable_broker_is_powered_down():
    import asyncio

    import ugs.link.wifi as module

    now = [0]

    async def sleep_ms(ms):
        now[0] += ms

    module.ticks_ms = lambda: now[0]
    module.ticks_diff = lambda a, b: a - b
    asyncio.sleep_ms, plain = sleep_ms, asyncio.sleep_ms
    radio = Radio()
    radio.stuck = False
    wifi = Wifi(radio, "net", "")

    async def keep_trying(until_ms):
        while now[0] < until_ms:
            await wifi.join()
            now[0] += 60_000

    asyncio.run(keep_trying(540_000))
    wifi.reached()
    asyncio.run(keep_trying(1_080_000))
    assert radio.offs == 0
    asyncio.run(keep_trying(3_000_000))
    asyncio.sleep_ms = plain
    # Every ten minutes, and it never counts towards a restart: the broker may just be away.
    assert (radio.offs, wifi.cycles, radio.joined) == (4, 0, True), (radio.offs, wifi.cycles)


globals()[sys.argv[1]]()
print("ok")
