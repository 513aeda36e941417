# SPDX-License-Identifier: MIT
# One case of the ledger on an ordinary file system: keeps.py CASE FOLDER; prints "ok".

import builtins
import os
import sys

from ugs.ledger.boots import reserve_boot
from ugs.ledger.journal import Journal
from ugs.ledger.ledger import Ledger
from ugs.wire import codec

DETECTION = {
    "t_ms": 1,
    "phase": 1,
    "class": 1,
    "confidence_pct": 80,
    "peak_um_s_x100": 300,
    "cadence_hz_x20": 36,
    "pir_count": 2,
}
folder = sys.argv[2]


def all_held(ledger):
    held = []
    message = ledger.after((0, 0))
    while message is not None:
        held.append(message)
        message = ledger.after(message[:2])
    return held


def fill(boots, per_boot):
    for _ in range(boots):
        journal = Journal(folder)
        journal.open()
        for i in range(per_boot):
            assert journal.record("detection", dict(DETECTION, t_ms=i))[2]
    return journal


def fails(path, mode="r"):
    if "r" not in mode:
        raise OSError(28)
    return plain_open(path, mode)


plain_open = builtins.open


def replays_after_reboot():
    fill(3, 5)
    journal = Journal(folder)
    journal.open()
    assert journal.boot == 4, journal.boot
    held = all_held(journal.ledger)
    assert [m[:2] for m in held] == [(b, s) for b in (1, 2, 3) for s in range(1, 6)], held
    assert journal.ledger.pending() == 15


def receipt_forgets():
    journal = fill(2, 70)
    journal.ledger.receipt(1, 70)
    journal.ledger.receipt(2, 3)
    journal.ledger.trim()
    assert all_held(journal.ledger)[0][:2] == (2, 4)
    assert journal.ledger.pending() == 67
    assert len([n for n in os.listdir(folder) if n.endswith(".seg")]) == 2
    again = Ledger(folder)
    assert again.newest_boot() == 2
    again.load()
    # Receipts are not on flash: the rest of the segment comes again, whole segments do not.
    assert again.pending() < 128 and all_held(again)[-1][:2] == (2, 70)


def receipt_beyond_the_newest_message_is_limited():
    journal = fill(1, 3)
    journal.ledger.receipt(1, 65535)
    journal.ledger.receipt(9, 9)
    boot, seq, _ = journal.record("detection", DETECTION)
    assert (boot, seq) == (1, 4)
    assert [m[:2] for m in all_held(journal.ledger)] == [(1, 4)]


def full_drops_oldest_and_reports_the_gap():
    journal = fill(1, 2000)
    ledger = journal.ledger
    assert ledger.pending() >= 1000, ledger.pending()
    assert ledger.pending() + ledger.lost == 2000
    assert ledger.shares.dropped == {"detection": ledger.lost}
    oldest = ledger.after((0, 0))[:2]
    assert ledger.take_dropped() == (1, oldest[1] - 1)
    assert ledger.take_dropped() is None
    assert journal.oldest_seq() == oldest[1]


def tamper(active, t_ms=1, kind=1):
    return {"t_ms": t_ms, "kind": kind, "active": active}


def conditions_held(ledger):
    found = []
    for _boot, seq, payload in all_held(ledger):
        name, values = codec.decode(payload)
        if name == "condition":
            found.append(
                (seq, values["kind"], values["t_ms"], values["active"], values.get("value"))
            )
    return found


def chattering_condition_costs_eight_records_and_one_with_the_count():
    journal = fill(1, 1)
    for i in range(1000):
        kept = journal.record("condition", tamper(i & 1, 70_000 * i))
        assert (kept is None) == (i >= 8), i
    # Another kind has a separate share.
    assert journal.record("condition", tamper(1, 5, kind=2))[:2] == (1, 10)
    assert journal.ledger.pending() == 10 and journal.ledger.shares.refused == {"condition": 992}
    journal.settle()
    assert journal.ledger.pending() == 10
    journal.ledger.receipt(1, 2)
    journal.settle()
    journal.settle()
    # The first one is gone; the newest level is there once, with the count of its changes.
    found = conditions_held(journal.ledger)
    assert found[:7] == [(i + 2, 1, 70_000 * i, i & 1, None) for i in range(1, 8)], found
    assert found[7:] == [(10, 2, 5, 1, None), (11, 1, 69_930_000, 1, 992)], found
    assert journal.waiting == {}


def shares_hold_after_a_reboot():
    journal = fill(1, 3)
    for i in range(20):
        journal.record("condition", tamper(i & 1, (0, 23, 24, 255, 256, 65536)[i % 6], kind=13))
    journal = fill(1, 0)
    assert journal.record("condition", tamper(1, kind=13)) is None
    assert journal.record("condition", tamper(1, kind=12)) is not None
    journal.ledger.receipt(1, 4)
    assert journal.record("condition", tamper(1, kind=13)) is not None
    assert journal.record("condition", tamper(1, kind=13)) is None


def flood_of_every_other_kind_leaves_room_for_a_thousand_detections():
    journal = fill(1, 1100)
    results = conditions = 0
    for i in range(5000):
        values = {"t_ms": i, "command_id": i, "status": 0}
        results += journal.record("result", values) is not None
        kind = (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13)[i % 12]
        conditions += journal.record("condition", tamper(1, i, kind)) is not None
    # Eight of each of the twelve kinds.
    assert (results, conditions) == (32, 96), (results, conditions)
    detections = journal.ledger.pending() - results - conditions
    assert detections >= 1036, detections
    assert set(journal.ledger.shares.dropped) <= {"detection"}


def gaps_of_many_boots_do_not_flood_the_ledger():
    # A year of power cuts left a message of each boot; then the ledger overflows.
    ledger = Ledger(folder)
    os.mkdir(folder)
    payload = bytearray(128)
    size = codec.encode(payload, "detection", DETECTION)
    for boot in range(1, 1281):
        ledger.append(boot, 1, payload[:size])
    del ledger  # a start finds the heap empty
    journal = Journal(folder)
    journal.open()
    reports = 0
    for i in range(400):
        journal.record("detection", dict(DETECTION, t_ms=i))
        dropped = journal.ledger.take_dropped()
        if dropped:
            boot, upto = dropped
            values = dict(tamper(1, i, kind=6), value=upto, boot=boot)
            assert journal.record("condition", values) is not None
            reports += 1
    assert reports <= 16 + 400 // 64, reports
    assert len(journal.ledger._dropped) <= 64


def record_that_is_no_message_is_kept_without_effect():
    ledger = Ledger(folder)
    os.mkdir(folder)
    for i, payload in enumerate((b"", b"\xa1", b"\xa4\0\4\1\x1f\0\0\0", b"\xff" * 200)):
        ledger.append(1, i + 1, payload)
    again = Ledger(folder)
    again.load()
    assert again.pending() == 4 and len(all_held(again)) == 4


def damaged_record_damages_no_other():
    # One bit of each byte of one record in turn: its length, its CRC, its content.
    journal = fill(1, 5)
    path = folder + "/00000000.seg"
    with plain_open(path, "rb") as file:
        whole = file.read()
    size = len(whole) // 5
    for at in range(2 * size, 3 * size):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        with plain_open(path, "wb") as file:
            file.write(damaged)
        ledger = Ledger(folder)
        assert ledger.newest_boot() == 1
        ledger.load()
        assert [m[1] for m in all_held(ledger)] == [1, 2, 4, 5], at
        assert (ledger.faults, ledger.pending(), ledger.oldest_seq(1)) == (1, 4, 1)
        # While it runs: it was whole when the index was made.
        journal.ledger._window_number = -1
        assert [m[1] for m in all_held(journal.ledger)] == [1, 2, 4, 5], at
    # And more is appended behind it.
    ledger.append(1, 6, b"\xa1")
    again = Ledger(folder)
    again.load()
    assert [m[1] for m in all_held(again)] == [1, 2, 4, 5, 6]


def memory_shortage_keeps_records_in_memory():
    def has_none(path, mode="r"):
        raise MemoryError()

    journal = fill(1, 2)
    builtins.open = has_none
    try:
        assert journal.record("detection", DETECTION) == (1, 3, False)
    finally:
        builtins.open = plain_open
    assert journal.ledger.write_back()
    assert [m[1] for m in all_held(journal.ledger)] == [1, 2, 3]


def refusing_flash_keeps_records_in_memory():
    journal = fill(1, 2)
    builtins.open = fails
    try:
        kept = [journal.record("detection", dict(DETECTION, t_ms=i)) for i in range(3)]
        assert [k[2] for k in kept] == [False, False, False]
        assert len(all_held(journal.ledger)) == 5
        assert journal.ledger.faults == 3
    finally:
        builtins.open = plain_open
    assert journal.ledger.write_back()
    again = Ledger(folder)
    again.load()
    assert all_held(again) == all_held(journal.ledger)


def refusing_flash_for_long_drops_oldest_in_memory():
    journal = fill(1, 2)
    builtins.open = fails
    try:
        for i in range(30):
            journal.record("detection", dict(DETECTION, t_ms=i))
        held = [m[1] for m in all_held(journal.ledger)]
        assert held == [1, 2] + list(range(17, 33)), held
        assert journal.ledger.lost == 14
        # Reported while flash holds 1 and 2, the gap would include them.
        assert journal.ledger.take_dropped() is None
        journal.ledger.receipt(1, 2)
        assert journal.ledger.take_dropped() == (1, 16)
        assert journal.ledger.take_dropped() is None
    finally:
        builtins.open = plain_open


def receipt_of_some_keeps_the_others_that_wait_for_the_flash():
    journal = fill(1, 2)
    builtins.open = fails
    try:
        for i in range(3):
            journal.record("detection", dict(DETECTION, t_ms=i))
        journal.ledger.receipt(1, 3)
        assert [m[1] for m in all_held(journal.ledger)] == [4, 5]
    finally:
        builtins.open = plain_open


def dropped_messages_are_counted_by_their_kind():
    journal = fill(1, 0)
    builtins.open = fails
    try:
        journal.record("condition", tamper(1))
        for i in range(20):
            journal.record("detection", dict(DETECTION, t_ms=i))
    finally:
        builtins.open = plain_open
    assert journal.ledger.lost == 5
    assert journal.ledger.shares.dropped == {"condition": 1, "detection": 4}


def counters_used_up_take_the_next_boot():
    journal = fill(1, 1)
    journal._durable_seq = 65534
    assert journal.record("detection", DETECTION)[:2] == (1, 65535)
    assert journal.record("detection", DETECTION)[:2] == (2, 1)
    assert journal.next_volatile() == (2, 1)
    journal._volatile_seq = 65535
    assert journal.next_volatile() == (3, 1)
    assert reserve_boot(folder) == 4


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("ok")
