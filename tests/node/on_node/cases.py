# SPDX-License-Identifier: MIT
# One case of supervisor, pump, node and configuration: cases.py CASE; prints "ok" last.

import asyncio
import json
import sys
from array import array

from ugs.clock import Clock
from ugs.config import ConfigError, parse_config
from ugs.node import Node
from ugs.pump import BLOCK, Pump
from ugs.tasks import Supervisor, until_one_ends
from ugs.wire import codec


class Watchdog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


def task_that_raises_is_started_again():
    faults = []
    runs = []
    supervisor = Supervisor(lambda name, error: faults.append((name, type(error))))

    async def failing():
        runs.append(1)
        raise MemoryError if len(runs) == 1 else OSError(5)

    async def steady():
        while True:
            supervisor.alive("steady")
            await asyncio.sleep_ms(10)

    async def main():
        supervisor.start("failing", failing, 60_000)
        supervisor.start("steady", steady, 60_000)
        await asyncio.sleep_ms(1_200)

    asyncio.run(main())
    assert faults == [("failing", MemoryError), ("failing", OSError)], faults
    assert supervisor.restarts == 2


def watchdog_starves_when_one_task_hangs():
    watchdog = Watchdog()
    supervisor = Supervisor(lambda name, error: None)

    async def hangs():
        await asyncio.sleep(60)

    async def steady():
        while True:
            supervisor.alive("steady")
            await asyncio.sleep_ms(10)

    async def main():
        supervisor.start("hangs", hangs, 700)
        supervisor.start("steady", steady, 700)
        await supervisor.feed(watchdog)

    asyncio.run(main())
    assert supervisor.stuck() == "hangs"
    assert 2 <= watchdog.fed <= 3, watchdog.fed


def until_one_ends_stops_the_others():
    cancelled = []

    async def waits():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def raises():
        await asyncio.sleep_ms(10)
        raise OSError(104)

    try:
        asyncio.run(until_one_ends(waits(), raises(), waits()))
    except OSError as error:
        assert error.errno == 104
    assert len(cancelled) == 2


class Part:
    pass


class Detector:
    def __init__(self):
        self.fed = []
        self.edges = []

    def feed(self, ring, start, t_ms):
        self.fed.append((start, t_ms))
        return False

    def pir_edge(self, t_ms, level):
        self.edges.append((len(self.fed), level))


def make_pump(alive=lambda: None):
    sampler, pir = Part(), None
    sampler.keep_time = lambda: None
    sampler.overruns = 0
    sampler.ring = array("i", [0] * 1024)
    sampler.written = sampler.missed = 0
    sampler.age_us = lambda index: (sampler.written - 1 - index) * 4000
    detector = Detector()
    return sampler, detector, Pump(sampler, pir, detector, Clock(), None, alive)


def pump_feeds_whole_blocks_in_order():
    sampler, detector, pump = make_pump()
    sampler.written = 3 * BLOCK + 5
    pump.step()
    assert [start for start, _ in detector.fed] == [0, 32, 64]
    pump.step()
    assert len(detector.fed) == 3
    sampler.written = 4 * BLOCK
    pump.step()
    assert detector.fed[3][0] == 96 and sampler.overruns == 0


def pump_without_samples_lets_the_watchdog_bite():
    alive = []
    sampler, _detector, pump = make_pump(lambda: alive.append(1))

    async def main():
        task = asyncio.create_task(pump.run())
        sampler.written = BLOCK
        await asyncio.sleep_ms(350)
        task.cancel()

    asyncio.run(main())
    assert len(alive) == 1, alive


def pump_too_late_skips_and_counts():
    sampler, detector, pump = make_pump()
    sampler.written = 5000
    pump.step()
    # One block is left unread behind; the rest of the lag is counted as missed.
    assert sampler.overruns == sampler.missed == 4960
    assert [start for start, _ in detector.fed] == [4960]


def make_node():
    board = Part()
    board.name, board.nm_s_per_count_x256 = "pico_w", 3_581
    board.sampler, board.pir, board.tamper, board.wlan = Part(), None, Part(), Part()
    board.sampler.fs_hz = 250
    board.sampler.start = lambda: None
    board.input_levels = (32, 233, 1_488)
    board.coil_answers = lambda: False
    board.battery_mv = lambda: 3900
    board.reset_cause = lambda: 0
    config = Part()
    config.site, config.node, config.key = "north", "n07", bytes(range(32))
    config.ssid = config.passphrase = config.host = config.address = ""
    config.port = 1883
    config.is_wired = False
    config.release = None
    return Node(board, config, Part())


def keep_detections(node, count):
    values = {"phase": 1, "class": 1, "confidence_pct": 80, "peak_um_s_x100": 300}
    for number in range(count):
        values.update({"t_ms": number, "cadence_hz_x20": 36, "pir_count": 2})
        node.journal.record("detection", values)


def hello_speaks_of_the_boot_it_is_numbered_in():
    node = make_node()
    keep_detections(node, 5)
    node.journal.ledger.receipt(1, 5)
    node.journal._volatile_seq = 65535
    node.on_connect()
    name, values = node.next_volatile(1000)
    assert (name, values["oldest_seq"]) == ("hello", 1), values
    assert node.journal.next_volatile() == (2, 1)


def gap_is_told_once_to_a_gateway_that_never_gives_a_receipt():
    node = make_node()
    keep_detections(node, 3)
    node.journal.ledger.receipt(1, 2)
    node.session.is_answered = True
    outbox = node.session.outbox
    told = 0
    for now_ms in range(0, 3_600_000, 1_000):
        while outbox.take(now_ms) is not None:
            pass
        if outbox.is_stuck():
            told += 1
            node._tell_gaps(now_ms)
    assert told > 50
    assert node.journal.ledger.pending() == 2, node.journal.ledger.pending()


def dropped_records_are_told_ahead_of_their_turn():
    node = make_node()
    keep_detections(node, 1281)
    node._tell_gaps(0)
    node._tell_gaps(1000)
    boot, seq, payload = node.session.outbox.take(1000)
    name, values = codec.decode(payload)
    assert (boot, seq, name) == (1, 1282, "condition"), (boot, seq, name)
    assert (values["kind"], values["value"], values["boot"]) == (6, 64, 1), values
    assert node.session.outbox.take(1000)[:2] == (1, 65)


def config_refuses_what_is_wrong_and_names_it():
    good = {
        "site": "north",
        "node": "n07",
        "board": "pico_w",
        "key": "5a" * 32,
        "wifi": {"ssid": "a", "passphrase": ""},
        "broker": {"host": "h", "port": 1883},
        "x_m": 1,
        "y_m": 2.5,
        "pir": True,
    }
    assert parse_config(good).key == b"\x5a" * 32 and not parse_config(good).is_wired
    wired = {key: good[key] for key in good if key not in ("wifi", "broker")} | {"link": "serial"}
    assert parse_config(wired).is_wired
    for path, value in (
        ("site", "North"),
        ("site", None),
        ("node", "seventeen-letters"),
        ("key", "5a" * 31),
        ("key", 5),
        ("key", "zz" * 32),
        ("wifi.ssid", "x" * 33),
        ("wifi.passphrase", 7),
        ("broker.host", ""),
        ("broker.port", 0),
        ("x_m", "1"),
        ("y_m", 1e9),
        ("pir", 1),
        ("wifi", []),
        ("surplus", 1),
        ("link", "pigeon"),
    ):
        table = json.loads(json.dumps(good))
        at, _, last = path.rpartition(".")
        (table[at] if at else table)[last] = value
        try:
            parse_config(table)
        except ConfigError as error:
            assert last in str(error) and "\n" not in str(error), error
            assert "5a5a" not in str(error)
        else:
            raise AssertionError(path)
    for name in ("wifi", "broker"):
        try:
            parse_config(dict(wired, **{name: good[name]}))
        except ConfigError as error:
            assert "unknown key " + name in str(error)
        else:
            raise AssertionError(name)


globals()[sys.argv[1]]()
print("ok")
