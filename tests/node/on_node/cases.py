# SPDX-License-Identifier: MIT
# One case of supervisor, sampling task and configuration: cases.py CASE; prints "ok" last.

import asyncio
import json
import sys
from array import array

from ugs.clock import Clock
from ugs.config import ConfigError, parse_config
from ugs.sampling import BLOCK, Sampling
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


def task_whose_fault_cannot_be_reported_is_started_again():
    def has_no_memory(name, error):
        raise MemoryError

    runs = []
    supervisor = Supervisor(has_no_memory)

    async def failing():
        runs.append(1)
        raise OSError(5)

    async def main():
        supervisor.start("failing", failing, 60_000)
        await asyncio.sleep_ms(1_200)

    asyncio.run(main())
    assert len(runs) == 2


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
        self.gaps = []

    def note_gap(self, blocks):
        self.gaps.append((len(self.fed), blocks))

    def feed(self, ring, start, t_ms):
        self.fed.append((start, t_ms))
        return False

    def pir_edge(self, t_ms, level):
        self.edges.append((len(self.fed), level))


def make_sampling(alive=lambda: None):
    sampler, pir = Part(), None
    sampler.keep_time = lambda: None
    sampler.overruns = 0
    sampler.ring = array("i", [0] * 1024)
    sampler.written = sampler.missed = 0
    sampler.age_us = lambda index: (sampler.written - 1 - index) * 4000
    detector = Detector()
    return sampler, detector, Sampling(sampler, pir, detector, Clock(), None, alive)


def sampling_feeds_whole_blocks_in_order():
    sampler, detector, sampling = make_sampling()
    sampler.written = 3 * BLOCK + 5
    sampling.step()
    assert [start for start, _ in detector.fed] == [0, 32, 64]
    sampling.step()
    assert len(detector.fed) == 3
    sampler.written = 4 * BLOCK
    sampling.step()
    assert detector.fed[3][0] == 96 and sampler.overruns == 0


def sampling_without_samples_lets_the_watchdog_reset():
    alive = []
    sampler, _detector, sampling = make_sampling(lambda: alive.append(1))

    async def main():
        task = asyncio.create_task(sampling.run())
        sampler.written = BLOCK
        await asyncio.sleep_ms(350)
        task.cancel()

    asyncio.run(main())
    assert len(alive) == 1, alive


def sampling_too_late_skips_and_counts():
    sampler, detector, sampling = make_sampling()
    sampler.written = 5000
    sampling.step()
    # One block is left unread behind; the rest of the lag is counted as missed.
    assert sampler.overruns == sampler.missed == 4960
    assert [start for start, _ in detector.fed] == [4960]


def sampling_reports_blocks_with_missing_samples():
    sampler, detector, sampling = make_sampling()
    sampler.written = BLOCK
    sampling.step()
    assert detector.gaps == []
    sampler.missed += 70  # filled while nothing was read
    sampler.written += 6 * BLOCK
    sampling.step()
    assert detector.gaps == [(1, 6)], detector.gaps
    feed, sampler.written = detector.feed, sampler.written + 2 * BLOCK

    def is_late(ring, start, t_ms):  # filled by the interrupt while a block is worked on
        detector.feed = feed
        sampler.missed += 40
        sampler.written += 2 * BLOCK
        return feed(ring, start, t_ms)

    detector.feed = is_late
    sampling.step()
    assert detector.gaps == [(1, 6), (8, 3)], detector.gaps


def config_rejects_an_invalid_value_and_names_it():
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
