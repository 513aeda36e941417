# SPDX-License-Identifier: MIT
# One case of a node's settings: settings_cases.py CASE; prints "ok" last.

import builtins
import os
import random
import sys

from ugs.remote import configure
from ugs.remote import settings as kept

FOLDER = "state"
FIRST = b"\x01\x00\x3c\x02\x00\x00\x03\x00\x00\x04\x00\x00"
SLOW = b"\x01\x0e\x10"
BURST = b"\x02\x00\x01"
LOWER = b"\x03\xff\xec"
ALWAYS = b"\x02\x00\x00"
CONTINUOUS = b"\x04\x00\x00"
SENTINEL = b"\x04\x00\x01"


class PowerCut(Exception):
    pass


class Cut:
    # A file in which only so many bytes arrive.
    def __init__(self, file, count):
        self.file = file
        self.count = count

    def write(self, data):
        self.file.write(data[: self.count])
        self.file.close()
        raise PowerCut

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.file.close()


class Board:
    sleeper = None


class Node:
    is_wired = False

    def __init__(self):
        self.board = Board()
        self.settings = kept.load(FOLDER)
        self.applied = []

    def apply(self, settings):
        self.settings = settings
        self.applied.append(settings.data)

    def take(self, data):
        return configure.take(self, kept, FOLDER, {"id": 1, "data": data})


def first_start_has_the_first_values():
    settings = kept.load(FOLDER)
    assert (settings.heartbeat_s, settings.radio, settings.threshold_x10) == (60, 0, 0)
    assert settings.data == FIRST


def settings_are_taken_together_and_kept():
    node = Node()
    assert node.take(SLOW + BURST + LOWER) == (0, None)
    assert node.applied == [SLOW + BURST + LOWER + CONTINUOUS]
    settings = kept.load(FOLDER)
    assert (settings.heartbeat_s, settings.radio, settings.threshold_x10) == (3600, 1, -20)
    assert node.take(b"") == (0, None) and node.take(BURST) == (0, None)
    assert len(node.applied) == 1  # nothing is written where nothing changes
    assert node.take(b"\x02\x00\x00") == (0, None)
    assert kept.load(FOLDER).data == SLOW + ALWAYS + LOWER + CONTINUOUS


def bad_data_change_nothing():
    node = Node()
    for data, problem in (
        (b"\x01", 1),
        (b"\x01\x00", 1),
        (SLOW + b"\x02", 1),
        (SLOW + SLOW, 1),
        (BURST + SLOW, 1),
        (b"\x00\x00\x3c", 1),
        (b"\x05\x00\x01", 2),
        (b"\x04\x00\x02", 3),
        (SLOW + b"\xff\x00\x00", 2),
        (b"\x01\x00\x1d", 3),
        (b"\x01\x0e\x11", 3),
        (b"\x01\xff\xff", 3),
        (b"\x02\x00\x02", 3),
        (SLOW + b"\x03\xff\xeb", 3),
        (b"\x03\x00\x29", 3),
        (bytes(1024), 1),
    ):
        assert node.take(data) == (1, problem), (data, problem)
    for _ in range(2000):
        data = bytes(random.getrandbits(3) for _ in range(random.getrandbits(4)))
        node.take(data)
        found = kept.load(FOLDER)
        assert found.data == node.settings.data
        assert 30 <= found.heartbeat_s <= 3600 and 0 <= found.radio <= 1
    node.is_wired = True
    before = node.settings.data
    node.settings.radio = 0
    node.settings.data = kept.encode(node.settings)
    assert node.take(BURST) == (1, 4)
    assert before is not None


def sentinel_needs_a_board_that_a_pin_wakes_and_radio_burst():
    node = Node()
    assert node.take(SENTINEL) == (2, None)  # unsupported
    assert not node.applied and kept.load(FOLDER).data == FIRST
    node.board.sleeper = object()
    assert node.take(ALWAYS + SENTINEL) == (1, 9)
    assert node.take(SENTINEL) == (0, None)
    settings = kept.load(FOLDER)
    assert (settings.radio, settings.sampling) == (1, 1)
    assert node.take(ALWAYS) == (1, 9)
    assert node.take(SLOW) == (0, None)
    node.is_wired = True
    assert node.take(LOWER) == (1, 4)
    node.is_wired = False
    assert node.take(ALWAYS + CONTINUOUS) == (0, None)
    assert kept.load(FOLDER).data == SLOW + ALWAYS + b"\x03\x00\x00" + CONTINUOUS


def power_cut_at_any_byte_leaves_the_old_or_the_new():
    node = Node()
    assert node.take(SLOW) == (0, None)
    size = os.stat(FOLDER + "/set0")[6]
    real = builtins.open
    old = node.settings.data
    for start in range(2):  # either file is the older one
        for count in range(size + 1):

            def cut(path, mode="r", count=count):
                file = real(path, mode)
                return Cut(file, count) if "w" in mode else file

            changed = BURST if not kept.load(FOLDER).radio else b"\x02\x00\x00"
            node = Node()
            configure.open = cut
            try:
                node.take(changed)
                raise AssertionError("not cut")
            except PowerCut:
                pass
            configure.open = real
            assert not node.applied
            found = kept.load(FOLDER)
            if count < size:
                assert found.data == old, (start, count)
            else:
                assert found.data != old
            # Whole again from there on.
            node = Node()
            assert node.take(b"\x02\x00\x00") == (0, None)
            old = kept.load(FOLDER).data
        assert node.take(b"\x03\x00\x07" if start else b"\x03\x00\x08") == (0, None)
        old = kept.load(FOLDER).data


def damaged_files_give_the_other_or_the_first_values():
    node = Node()
    node.take(SLOW)
    node.take(LOWER)
    for name in ("/set0", "/set1"):
        with open(FOLDER + name, "rb") as file:
            data = bytearray(file.read())
        for at in range(len(data)):
            data[at] ^= 0x40
            with open(FOLDER + name, "wb") as file:
                file.write(data)
            assert kept.load(FOLDER).heartbeat_s in (60, 3600)
            data[at] ^= 0x40
        data[3] ^= 1
        with open(FOLDER + name, "wb") as file:
            file.write(data)
    assert kept.load(FOLDER).data == FIRST
    for junk in (b"", b"\xff" * 64, bytes(64), bytes(4096)):
        for name in ("/set0", "/set1"):
            with open(FOLDER + name, "wb") as file:
                file.write(junk)
        assert kept.load(FOLDER).data == FIRST


def flash_that_refuses_is_answered_and_nothing_is_applied():
    node = Node()

    def refuse(_path, mode="r"):
        raise OSError(28)

    configure.open = refuse
    assert node.take(SLOW) == (3, 6)
    assert not node.applied and node.settings.data == FIRST


os.mkdir(FOLDER)
globals()[sys.argv[1]]()
print("ok")
