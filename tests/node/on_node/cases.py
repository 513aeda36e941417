# SPDX-License-Identifier: MIT
# One case of supervisor, conditions, pump and configuration: cases.py CASE; prints "ok" last.

import asyncio
import json
import sys
from array import array

from ugs.clock import Clock
from ugs.conditions import Conditions
from ugs.config import ConfigError, parse_config
from ugs.health import Health
from ugs.pump import BLOCK, Pump
from ugs.tasks import Supervisor, until_one_ends


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


def make_health(records):
    board, ledger, session, wifi = Part(), Part(), Part(), Part()
    board.sampler = Part()
    board.sampler.ring = array("i", [(i * 7919) % 23 for i in range(1024)])
    board.sampler.written = 1000
    board.sampler.fs_hz = 250
    board.sampler.missed = board.sampler.clipped = 0
    board.pir = Part()
    board.pir.level = board.pir.dropped = 0
    board.check = lambda: None
    board.battery_mv = lambda: 3900
    ledger.faults = 0
    ledger.write_back = lambda: True
    ledger.pending = lambda: 70_000
    session.connects = 0
    session.downlink = Part()
    session.downlink.refused = 0
    wifi.rssi_dbm = lambda: -61
    conditions = Conditions(lambda name, values: records.append(values))
    health = Health(board, ledger, Clock(), session, wifi, conditions, lambda: 0.5)
    return health, board, ledger, session


def seconds(health, first, count):
    for second in range(first, first + count):
        health.poll(second * 1000)
    return first + count


def told(records):
    # (kind number, active) in ugs.wire.schema's numbering
    return [(r["kind"], r["active"]) for r in records]


def conditions_are_told_on_change_only():
    records = []
    health, board, ledger, session = make_health(records)
    at = seconds(health, 0, 30)
    assert records == []
    board.sampler.missed = 30  # 1.2 % of ten seconds
    at = seconds(health, at, 10)
    assert told(records) == [(7, 1)] and records[0]["value"] == 30
    at = seconds(health, at, 550)
    assert told(records) == [(7, 1)]  # the end is held back: what flickers must not fill the ledger
    at = seconds(health, at, 70)
    assert told(records) == [(7, 1), (7, 0)]
    del records[:]
    board.sampler.clipped += 13
    at = seconds(health, at, 1)
    assert told(records) == [(8, 1)]
    at = seconds(health, at, 610)
    assert told(records) == [(8, 1), (8, 0)]
    del records[:]
    session.downlink.refused = 12
    at = seconds(health, at, 630)
    assert told(records) == [(11, 1), (11, 0)]


def sensor_without_any_noise_is_a_fault():
    records = []
    health, board, _, _ = make_health(records)
    board.sampler.ring = array("i", [5] * 1024)
    at = seconds(health, 0, 59)
    assert records == []
    at = seconds(health, at, 30)
    assert told(records) == [(3, 1)]
    board.sampler.ring = array("i", [i % 9 for i in range(1024)])
    at = seconds(health, at, 610)
    assert told(records) == [(3, 1), (3, 0)]


def sensor_that_does_not_answer_is_a_fault_told_once():
    records = []
    health, board, _, _ = make_health(records)

    def check():
        raise OSError("ADS1220 does not answer")

    board.check = check
    seconds(health, 0, 300)
    assert told(records) == [(3, 1)]


def pir_high_for_long_is_a_fault():
    records = []
    health, board, _, _ = make_health(records)
    board.pir.level = 1
    at = seconds(health, 0, 600)
    assert records == []
    at = seconds(health, at, 10)
    board.pir.level = 0
    at = seconds(health, at, 610)
    assert told(records) == [(12, 1), (12, 0)]
    board.pir.dropped = 5
    seconds(health, at, 2)
    assert told(records)[2:] == [(12, 1)]


def failing_flash_is_told_until_it_works_again():
    records = []
    health, _, ledger, _ = make_health(records)
    ledger.faults = 1
    ledger.write_back = lambda: False
    at = seconds(health, 0, 10)
    assert told(records) == [(9, 1)]
    ledger.write_back = lambda: True
    at = seconds(health, at, 50)
    assert told(records) == [(9, 1)]
    seconds(health, at, 620)
    assert told(records) == [(9, 1), (9, 0)]


def clock_never_told_is_a_condition():
    records = []
    health, _, _, session = make_health(records)
    session.connects = 1
    seconds(health, 0, 700)
    assert told(records) == [(4, 1)]


def heartbeat_saturates():
    health, board, _, _ = make_health([])
    board.sampler.missed = 100_000
    values = health.heartbeat(1000, 99_999)
    assert values["samples_missed"] == values["floor_um_s_x100"] == 65535
    assert values["ledger_pending"] == 65535
    assert not health.is_heartbeat_due(60_999) and health.is_heartbeat_due(61_000)


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
    assert detector.fed[3][0] == 96 and pump.overruns == 0


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
    assert pump.overruns == sampler.missed == 4960
    assert [start for start, _ in detector.fed] == [4960]


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
        ("broker.port", True),
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
