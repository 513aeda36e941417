# SPDX-License-Identifier: MIT
# ratchet: the node's key goes one step a day, one way, and what it was leaves the flash: whoever
# reads the flash opens nothing of the days before (docs/wire.md section 4).

import binascii
import json
import os
import struct

from micropython import const

from ugs.wire import keys

_PERIOD_MS = const(86_400_000)
_AGAIN_MS = const(3_600_000)  # after flash has refused
# Check value of the key given at the cable, half turn of starts that the key is for
# (ugs.ledger.boots) and epoch, UTC of the step, key, MQTT password.
_RECORD = ">4sIQ32s16s"
_EPOCH_BITS = const(20)
_CRC = const(4)
# littlefs writes beside what it replaces. A small file takes a fresh block and two entries in the
# log of its folder: so many as there are free blocks, twice, have overwritten every place.
_DUE = "scrub.due"
_PAD = const(600)
_LOG_TURNS = const(64)
_BLOCKS_MAX = const(1000)
_NODE = "node.json"


class KeysError(ValueError):
    pass


class Ratchet:
    # key: of node.json, None when that holds none any more. Raises KeysError without any.
    #   epoch, key, keys: what is sealed and opened with; faults: how often flash refused
    #   half: the half turn of starts that the key is for, None before the first start with it
    #   left: steps of the scrub that are left, None before they are counted

    def __init__(self, folder, key):
        self.faults = 0
        self._path = folder + "/key"
        self._places = ("scrub", folder + "/scrub")
        origin = key and keys.check(key)
        record = self._load()
        if record is None or (key and record[0] != origin):
            if key is None:
                raise KeysError("node.json has no key and %s is no good; provision it" % self._path)
            record = (origin, 0, 0, key, keys.mqtt_password(key))
            self.half = None
        else:
            self.half = record[1] >> _EPOCH_BITS
        self._origin, self.epoch, self._since_ms, self.key, self._password = record
        self.epoch &= (1 << _EPOCH_BITS) - 1
        self.keys = keys.Keys(self.key, self._password)
        # How many places are left to overwrite; None: it is not yet counted.
        is_due = _DUE in os.listdir() or (key and self.epoch)
        self.left = None if is_due else 0

    def step(self, wall_ms):
        # Whether there are new keys. Only while the gateway answers to the present ones.
        if wall_ms is None or 0 <= wall_ms - self._since_ms < _PERIOD_MS:
            return False
        try:
            if not self._since_ms:
                self._save(self.epoch, wall_ms, self.key)  # first heard of: the period begins
                return False
            self._mark()
            key = keys.next_key(self.key, self.epoch + 1)
            self._save(self.epoch + 1, wall_ms, key)
        except OSError:
            self._fail("step")
            self._since_ms = wall_ms - _PERIOD_MS + _AGAIN_MS
            return False
        self._use(key)
        return True

    def start(self, half):
        # At a start, which is in this half of a turn of boot numbers: in another one than the last
        # start its numbers have been used before, so the key takes a step, answered or not.
        # Where flash refuses it is used all the same: the next start takes the same step again, and
        # has other numbers.
        if half == self.half:
            return
        is_new, self.half = self.half is None, half
        key = self.key if is_new else keys.next_key(self.key, self.epoch + 1)
        try:
            if not is_new:
                self._mark()
            self._save(self.epoch + (not is_new), self._since_ms, key)
        except OSError:
            self._fail("start")
        if not is_new:
            self._use(key)

    def _mark(self):
        open(_DUE, "w").close()
        self.left = None

    def _use(self, key):
        self.key = key
        self.epoch += 1
        self.keys = keys.Keys(key, self._password)
        print("key stepped epoch=%d" % self.epoch)

    def scrub(self):
        # One small part of it, for one erase of flash stops sampling for some 50 ms.
        if self.left == 0:
            return
        try:
            if self.left is None:
                open(_DUE, "w").close()
                self._strip()
                free = min(os.statvfs(".")[3], _BLOCKS_MAX)
                self.left = 2 * free + _LOG_TURNS
            place = self._places[self.left & 1]
            with open(place, "wb") as file:
                file.write(bytes(_PAD))
            os.remove(place)
            self.left -= 1
            if not self.left:
                os.remove(_DUE)
                print("key scrubbed epoch=%d" % self.epoch)
        except OSError:
            self._fail("scrub")

    def _fail(self, what):
        if not self.faults:
            print("key %s fails, flash refuses" % what)
        self.faults += 1

    def _strip(self):
        # The key given at the cable leads to all that came after it.
        with open(_NODE) as file:
            table = json.load(file)
        if not self.epoch:
            return
        if table.pop("key", None):
            with open(_NODE + ".new", "w") as file:
                json.dump(table, file)
            os.rename(_NODE + ".new", _NODE)
        # A second copy, without the key, which boot.py puts in place of a damaged file. The tool
        # that writes new settings empties it. A flash without room for it is scrubbed all the same.
        try:
            if "node.copy" not in os.listdir() or not os.stat("node.copy")[6]:
                with open(_NODE, "rb") as file:
                    data = file.read()
                head = "%s %d" % (_NODE, len(data))
                with open("node.copy", "wb") as file:
                    file.write("%s %d\n" % (head, binascii.crc32(data, binascii.crc32(head))))
                    file.write(data)
        except OSError:
            self._fail("copy")

    def _load(self):
        try:
            with open(self._path, "rb") as file:
                data = file.read(128)
        except OSError:
            return None
        body = data[:-_CRC]
        if binascii.crc32(body).to_bytes(_CRC, "big") != data[-_CRC:]:
            return None
        return struct.unpack(_RECORD, body) if len(body) == struct.calcsize(_RECORD) else None

    def _save(self, epoch, since_ms, key):
        epoch |= (self.half or 0) << _EPOCH_BITS
        body = struct.pack(_RECORD, self._origin, epoch, since_ms, key, self._password)
        with open(self._path + ".new", "wb") as file:
            file.write(body + binascii.crc32(body).to_bytes(_CRC, "big"))
        os.rename(self._path + ".new", self._path)
        self._since_ms = since_ms
