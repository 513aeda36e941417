# SPDX-License-Identifier: MIT
# One case of the conditions that a node reports: health_cases.py CASE; prints "ok" last.

import sys
from array import array

from ugs.clock import Clock
from ugs.conditions import Conditions
from ugs.drivers.edges import EdgeQueue
from ugs.health import Health
from ugs.sampling import Sampling


class Part:
    pass


def make_health(records):
    board, ledger, session, wifi = Part(), Part(), Part(), Part()
    board.sampler = Part()
    board.sampler.ring = array("i", [(i * 7919) % 23 for i in range(1024)])
    board.sampler.written = 1000
    board.sampler.fs_hz = 250
    board.sampler.missed = board.sampler.clipped = 0
    board.sampler.clip_counts = 8000
    board.nm_s_per_count_x256 = 3_581
    board.input_levels = (32, -300, 1_488)
    board.coil_answers = lambda: False
    board.pir = EdgeQueue(lambda: 0)
    board.check = lambda: None
    board.battery_mv = lambda: 3900
    ledger.faults = 0
    ledger.write_back = lambda: True
    ledger.pending = lambda: 70_000
    session.connects = 0
    session.downlink = Part()
    session.downlink.refused = 0
    wifi.rssi_dbm = lambda: -61
    wifi.is_shut = False
    wifi.burst = None
    conditions = Conditions(lambda name, values: records.append(values))
    health = Health(board, ledger, Clock(), session, wifi, conditions, lambda: 0.5)
    return health, board, ledger, session


def seconds(health, first, count):
    for second in range(first, first + count):
        health.poll(second * 1000)
    return first + count


def reported(records):
    # (kind number, active) in ugs.wire.schema's numbering
    return [(r["kind"], r["active"]) for r in records]


def conditions_are_reported_on_change_only():
    records = []
    health, board, ledger, session = make_health(records)
    at = seconds(health, 0, 30)
    assert records == []
    board.sampler.missed = 30  # 1.2 % of ten seconds
    at = seconds(health, at, 10)
    assert reported(records) == [(7, 1)] and records[0]["value"] == 30
    at = seconds(health, at, 550)
    assert reported(records) == [(7, 1)]  # the end is delayed: flicker must not fill the ledger
    at = seconds(health, at, 70)
    assert reported(records) == [(7, 1), (7, 0)]
    del records[:]
    board.sampler.clipped += 13
    at = seconds(health, at, 1)
    assert reported(records) == [(8, 1)]
    at = seconds(health, at, 610)
    assert reported(records) == [(8, 1), (8, 0)]
    del records[:]
    session.downlink.refused = 12
    at = seconds(health, at, 630)
    assert reported(records) == [(11, 1), (11, 0)]


def sensor_that_does_not_answer_is_a_fault_reported_once():
    records = []
    health, board, _, _ = make_health(records)

    def check():
        raise OSError("ADS1220 does not answer")

    board.check = check
    seconds(health, 0, 300)
    assert reported(records) == [(3, 1)] and records[0]["value"] == 7
    assert not health.are_sensors_well()


def sensor_that_lost_its_supply_is_reported_and_recovers():
    records = []
    health, board, _, _ = make_health(records)
    board.check = lambda: True
    seconds(health, 0, 1)
    board.check = lambda: False
    seconds(health, 1, 600)
    assert reported(records) == [(3, 1), (3, 0)] and records[0]["value"] == 8
    assert health.are_sensors_well()


def battery_that_dips_is_not_low():
    records = []
    health, board, _, _ = make_health(records)
    volts = [3_400, 3_700, 3_480, 3_700]
    board.battery_mv = lambda: volts[0]
    for second in range(16):
        health.poll(second * 1000)
        if second % 4 == 3:
            volts.append(volts.pop(0))
    assert records == []
    volts[:] = [3_490]
    seconds(health, 16, 7)
    assert reported(records) == [(2, 1)] and records[0]["value"] == 3_490
    volts[:] = [3_590]  # above the limit of the start, below that of the end
    seconds(health, 23, 700)
    assert reported(records) == [(2, 1)]
    volts[:] = [3_600]
    seconds(health, 723, 5)
    assert reported(records) == [(2, 1), (2, 0)]


def make_pir(records):
    # Edges that a test makes; a detector that counts those it gets.
    health, board, _, _ = make_health(records)
    levels = [0]
    queue = board.pir
    queue._pin = lambda: levels[0]
    sampler, detector = Part(), Detector()
    sampler.ring = board.sampler.ring
    sampler.written = 32
    sampler.missed = sampler.overruns = 0
    sampler.keep_time = lambda: None
    sampler.age_us = lambda index: -1_000_000
    sampling = Sampling(sampler, queue, detector, Clock(), None, lambda: None)

    def second(now_ms, toggles):
        for _ in range(toggles):
            levels[0] ^= 1
            queue.on_edge(None)
        sampling.step()
        health.poll(now_ms)

    return second, queue, detector, sampler


def pir_high_for_long_is_a_fault():
    records = []
    second, queue, _, sampler = make_pir(records)
    second(0, 1)
    for at in range(1, 600):
        sampler.written += 32
        second(at * 1000, 0)
    assert records == []
    second(600_000, 0)
    assert reported(records) == [(12, 1)] and records[0]["value"] == 1
    for at in range(601, 1300):
        sampler.written += 32
        second(at * 1000, 1 if at == 601 else 0)
    assert reported(records) == [(12, 1), (12, 0)]


def pir_that_chatters_is_shut_down_until_it_is_calm():
    records = []
    second, queue, detector, sampler = make_pir(records)
    for at in range(10):
        sampler.written += 32
        second(at * 1000, 20)
    assert reported(records) == [(12, 1)] and records[0]["value"] == 2
    assert records[0]["t_ms"] <= 3_000
    assert queue.is_shut
    believed = len(detector.edges)
    for at in range(10, 60):
        sampler.written += 32
        second(at * 1000, 20)
    # Shut down: nothing of it reaches the detector, and the level stays right.
    assert len(detector.edges) == believed and queue.level == 0
    for at in range(60, 119):
        sampler.written += 32
        second(at * 1000, 0)
        assert queue.is_shut
    for at in range(119, 122):
        sampler.written += 32
        second(at * 1000, 0)
    assert not queue.is_shut
    sampler.written += 32
    second(122_000, 2)
    assert len(detector.edges) == believed + 2
    for at in range(123, 700):
        sampler.written += 32
        second(at * 1000, 0)
    assert reported(records) == [(12, 1), (12, 0)]


def pir_that_sees_people_is_left_alone():
    # As fast as a PIR can: a pulse of 0.5 s and a rest of 0.2 s, for ten minutes.
    records = []
    second, queue, detector, sampler = make_pir(records)
    for at in range(600):
        sampler.written += 32
        second(at * 1000, 2 if at % 5 < 3 else 4)
    assert records == [] and not queue.is_shut
    assert len(detector.edges) == 600 // 5 * 14


def pir_whose_interrupt_was_lost_has_its_level_all_the_same():
    second, queue, detector, sampler = make_pir([])
    plain, queue.on_edge = queue.on_edge, lambda pin: None
    second(0, 1)
    assert [level for _, level in detector.edges] == [1] and queue.level == 1
    plain(None)  # it comes after all
    sampler.written += 32
    second(1_000, 0)
    assert len(detector.edges) == 1 and not len(queue)
    second(2_000, 1)
    assert [level for _, level in detector.edges] == [1, 0]


def pir_that_the_detector_mutes_is_reported():
    records = []
    second, _, detector, sampler = make_pir(records)
    detector.is_muted = True
    sampler.written += 32
    second(1_000, 2)
    assert reported(records) == [(12, 1)] and records[0]["value"] == 3


def failing_flash_is_reported_until_it_works_again():
    records = []
    health, _, ledger, _ = make_health(records)
    ledger.faults = 1
    ledger.write_back = lambda: False
    at = seconds(health, 0, 10)
    assert reported(records) == [(9, 1)]
    ledger.write_back = lambda: True
    at = seconds(health, at, 50)
    assert reported(records) == [(9, 1)]
    seconds(health, at, 620)
    assert reported(records) == [(9, 1), (9, 0)]


def wakes_ignored_ends_when_the_node_is_no_longer_a_sentinel():
    # It samples all the time, in radio burst or with its radio on.
    for after in (Part(), None):
        records = []
        health, _, _, _ = make_health(records)
        sentinel = health._link.burst = Part()
        sentinel.asleep_s = 0
        health._conditions.set(0, "wakes_ignored", True, 9)
        at = seconds(health, 0, 700)
        assert reported(records) == [(14, 1)]
        if after:
            after.asleep_s = None
        health._link.burst = after
        at = seconds(health, at, 10)
        assert reported(records) == [(14, 1), (14, 0)]
    # Not sooner than any other condition.
    del records[:]
    health._conditions.set(at * 1000, "wakes_ignored", True, 9)
    at = seconds(health, at, 590)
    assert reported(records) == [(14, 1)]
    seconds(health, at, 20)
    assert reported(records) == [(14, 1), (14, 0)]


def clock_never_set_is_a_condition():
    records = []
    health, _, _, session = make_health(records)
    session.connects = 1
    seconds(health, 0, 700)
    assert reported(records) == [(4, 1)]


def heartbeat_saturates():
    health, board, _, _ = make_health([])
    board.sampler.missed = 100_000
    board.sampler.rate_hz_x100 = lambda: 25_000
    board.sampler.overruns = board.sampler.worst_late_us = 0
    values = health.heartbeat(1000, 99_999)
    assert values["samples_missed"] == values["floor_um_s_x100"] == 65535
    assert values["ledger_pending"] == 65535
    assert not health.is_heartbeat_due(60_999) and health.is_heartbeat_due(61_000)


class Detector:
    def __init__(self):
        self.fed = []
        self.edges = []
        self.is_muted = False

    def feed(self, ring, start, t_ms):
        self.fed.append((start, t_ms))
        return False

    def pir_edge(self, t_ms, level):
        self.edges.append((len(self.fed), level))

    def is_pir_muted(self):
        return self.is_muted


globals()[sys.argv[1]]()
print("ok")
