# SPDX-License-Identifier: MIT
# slots: which of the firmware trees starts, and what an update leaves to be told (docs/updates.md).
# A tree is one file (pack.py). Not updated over the air: what chooses must not lie in a tree.

import binascii
import os
import struct
import sys

from micropython import const

RESCUE = "rescue"
_TREES = ("a", "b")
# Two files written in turn: power may fail in either, the other one stays whole.
_FILES = ("slot0", "slot1")
# count, active tree, trial, tries left, starts, spare is whole, floor, version on trial, command,
# outcome
_RECORD = ">IBBBBBIIIB"
_CRC = const(4)
_TRIES = const(3)
# Starts in a row of which none lasted until the node was well.
_STARTS_MAX = const(5)


class Slots:
    # is_told: there is a node.json, so this board knows who it is
    # tree: the one in use since choose(); on_trial: it has yet to prove itself
    # floor: the highest version ever committed; version: that of the tree on trial
    # command, outcome: what became of the update that `command` asked for, until told()
    NOTHING = const(0)
    COMMITTED = const(1)
    ROLLED_BACK = const(2)

    def __init__(self, folder="."):
        self.is_told = "node.json" in os.listdir(folder)
        self._folder = folder
        self._paths = [folder + "/" + name for name in _FILES]
        self.on_trial = False
        self._count = self._active = self._trial = self._tries = self._starts = 0
        self._spare_whole = 0
        self.floor = self.version = self.command = 0
        self.outcome = self.NOTHING
        self._load()
        self.tree = self.active()

    def choose(self):
        # The tree of this boot; counts the attempt before it is made, so no end of it goes unseen.
        if self._trial and not self._tries:
            self._trial = 0
            self.outcome = self.ROLLED_BACK
        self.on_trial = bool(self._trial)
        if self.on_trial:
            self._tries -= 1
            if self._save():
                self.tree = self.spare()
                return self.tree
            self.on_trial = False  # a try that cannot be counted might be made for ever
        self._starts = min(self._starts + 1, _STARTS_MAX + 1)
        if self._starts > _STARTS_MAX and self._spare_whole:
            self._active ^= 1
            self._spare_whole = 0
            self._starts = 1
        self._save()
        self.tree = RESCUE if self._starts > _STARTS_MAX else _TREES[self._active]
        return self.tree

    def spare(self):
        # The tree that is not in use: what an update is written to.
        return _TREES[self._active ^ 1]

    def active(self):
        return _TREES[self._active]

    def path(self, tree):
        return "%s/%s.fw" % (self._folder, tree)

    def mount(self):
        # Imports read from the tree of this boot until umount().
        import pack

        pack.attach(self.path(self.tree))

    def umount(self):
        sys.modules.pop("pack").detach()  # with all that it holds

    # The following raise OSError when flash refuses.

    def open_spare(self):
        # Before the first change to the spare tree: it is nothing to fall back to any more.
        if self._spare_whole or self._trial:
            self._spare_whole = self._trial = 0
            self._must_save()

    def start_trial(self, version, command):
        # The spare tree is whole: from the next boot on it is tried.
        self._trial, self._tries, self._starts = 1, _TRIES, 0
        self.version, self.command, self.outcome = version, command, self.NOTHING
        self._must_save()

    def commit(self):
        # The tree on trial has proved itself.
        self._active ^= 1
        self._trial = self._starts = 0
        self._spare_whole = 1
        self.floor = max(self.floor, self.version)
        self.outcome = self.COMMITTED
        self.on_trial = False
        self._must_save()

    def well(self):
        # The tree in use runs as it should.
        if self._starts:
            self._starts = 0
            self._must_save()

    def told(self):
        self.outcome = self.NOTHING
        self._must_save()

    def retry(self):
        # In rescue: let the active tree start once more.
        self._starts = _STARTS_MAX - 1
        self._must_save()

    def _load(self):
        found = [_read(path) for path in self._paths]
        whole = [fields for fields in found if fields]
        if whole:
            best = max(whole)
            self._count, self._active, self._trial, self._tries, self._starts = best[:5]
            self._spare_whole, self.floor, self.version, self.command, self.outcome = best[5:]
        elif None in found:
            # Damaged both: the spare may be the tree that was in use.
            self._spare_whole = 1

    def _must_save(self):
        if not self._save():
            raise OSError("slot record cannot be written")

    def _save(self):
        data = struct.pack(
            _RECORD,
            self._count + 1,
            self._active,
            self._trial,
            self._tries,
            self._starts,
            self._spare_whole,
            self.floor,
            self.version,
            self.command,
            self.outcome,
        )
        try:
            with open(self._paths[(self._count + 1) & 1], "wb") as file:
                file.write(data + binascii.crc32(data).to_bytes(_CRC, "big"))
        except OSError:
            return False
        self._count += 1
        return True


def _read(path):
    # The fields of a record; () when there is none yet, None when it is damaged.
    try:
        with open(path, "rb") as file:
            data = file.read(64)
    except OSError:
        return ()
    if not data:
        return ()  # as a bundle leaves it
    size = struct.calcsize(_RECORD)
    if len(data) != size + _CRC or data[size:] != binascii.crc32(data[:size]).to_bytes(_CRC, "big"):
        return None
    fields = struct.unpack(_RECORD, data[:size])
    return fields if fields[1] < len(_TREES) else None


def choose():
    # The record of this node with the tree of this boot chosen. Nothing is counted on a board that
    # waits to be provisioned: no tree can prove itself there.
    record = Slots()
    if record.is_told:
        record.choose()
    return record
