# SPDX-License-Identifier: MIT
# Cases of the boot counters; the folder as in keeps.py.
import binascii
import os
import sys

from keeps import DETECTION, all_held, fill, folder, plain_open

from ugs.ledger.boots import BootsError, reserve_boot
from ugs.ledger.journal import Journal


def counters_both_damaged_or_missing_continue_in_the_next_half_turn():
    # There the key is rotated: no number was used under it.
    for half, newest, then in (
        (None, 0, 0x8000),
        (0, 0, 0x8000),
        (0, 70, 0x8000),
        (0, 0x8004, 0x1_0001),  # this record is of the next half turn already
        (1, 0x8004, 0x1_0001),
        (1, 0, 0x1_0001),
        (2, 9, 0x1_8000),
        (3, 0, 0x2_0001),
    ):
        for data in (b"\x00\x09rest", b"\xff" * 8, None):
            set_counter(7)
            for name in ("/boot0", "/boot1"):
                if data is None:
                    os.remove(folder + name)
                else:
                    with open(folder + name, "wb") as file:
                        file.write(data)
            if data is None and half is None:  # a node that never started
                assert reserve_boot(folder, newest, half=half) == newest + 1
                continue
            assert reserve_boot(folder, newest, half=half) == then, (half, newest)
            lose_copy()
            assert reserve_boot(folder, newest, half=half) == then + 2  # the other slot is no good


def lose_copy():
    try:
        os.remove(folder + "/../starts")
    except OSError:
        pass


def set_counter(number, size=4):
    # As a node's flash holds it after start `number`.
    try:
        os.mkdir(folder)
    except OSError:
        pass
    lose_copy()
    for name, value in (("/boot0", number), ("/boot1", number - 1)):
        data = value.to_bytes(size, "big")
        with open(folder + name, "wb") as file:
            file.write(data + binascii.crc32(data).to_bytes(4, "big"))


def counter_whose_newest_slot_was_deleted_repeats_no_number():
    set_counter(40)
    assert reserve_boot(folder) == 41
    os.remove(folder + "/boot1")
    lose_copy()
    assert reserve_boot(folder) == 42


def counters_set_back_together_or_lost_continue_from_their_copy():
    set_counter(40)
    assert reserve_boot(folder) == 41
    saved = {name: plain_open(folder + name, "rb").read() for name in ("/boot0", "/boot1")}
    assert [reserve_boot(folder) for _ in range(5)] == [42, 43, 44, 45, 46]
    for name in saved:
        with plain_open(folder + name, "wb") as file:
            file.write(saved[name])
    assert reserve_boot(folder) == 47
    for name in saved:
        os.remove(folder + name)
    assert reserve_boot(folder, half=0) == 48
    for name in saved:
        with plain_open(folder + name, "wb") as file:
            file.write(b"no number")
    assert reserve_boot(folder, half=0) == 49
    lose_copy()
    assert reserve_boot(folder) == 51  # one slot is damaged still


def numbers_start_again_with_the_next_turn():
    set_counter(65_278)
    numbers = [reserve_boot(folder) for _ in range(4)]
    assert numbers == [65_279, 0x1_0001, 0x1_0002, 0x1_0003], numbers
    set_counter(0xFFFF_0000 - 1)
    assert reserve_boot(folder) == 0xFFFF_0001


def counter_of_two_bytes_continues():
    for number, then in ((7, 8), (65_279, 0x1_0001), (65_535, 0x1_0001)):
        set_counter(number, 2)
        assert reserve_boot(folder) == then


def counter_set_back_is_corrected_by_the_ledger():
    for number, newest, then in (
        (5, 90, 91),
        (0x1_0005, 90, 0x1_005B),
        (65_270, 90, 0x1_005B),
        (0x1_0005, 65_279, 0x1_0006),  # of the turn before
        (0x1_8005, 0x8004, 0x1_8006),
    ):
        set_counter(number)
        assert reserve_boot(folder, newest) == then, (number, newest)


def blocks_of_a_run_end_with_the_turn():
    set_counter(65_534)
    assert reserve_boot(folder, in_run=True) == 65_535
    try:
        reserve_boot(folder, in_run=True)
    except BootsError:
        pass
    else:
        raise AssertionError("went on")
    assert reserve_boot(folder) == 0x1_0001


def records_of_the_turn_before_stay_in_their_order():
    set_counter(65_277)
    fill(4, 40)  # two starts of each turn
    journal = Journal(folder)
    journal.open()
    assert (journal.boot, journal.number) == (3, 0x1_0003)
    assert journal.record("detection", DETECTION)[:2] == (3, 1)
    boots = (65_278, 65_279, 1, 2)
    expected = [(boot, seq) for boot in boots for seq in range(1, 41)] + [(3, 1)]
    assert [m[:2] for m in all_held(journal.ledger)] == expected
    journal.ledger.receipt(65_279, 40)
    journal.ledger.receipt(1, 40)
    journal.ledger.trim()
    left = [m[:2] for m in all_held(journal.ledger)]
    assert left == [pair for pair in expected if pair[0] not in (65_279, 1)]
    assert journal.oldest_seq() == 1


def record_of_half_a_turn_ago_is_dropped_and_counted():
    set_counter(99)
    fill(1, 3)
    set_counter(100 + 32_768)
    journal = Journal(folder)
    journal.open()
    assert all_held(journal.ledger) == []
    assert (journal.ledger.lost, journal.ledger.pending()) == (3, 0)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("ok")
