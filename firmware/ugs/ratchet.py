# SPDX-License-Identifier: MIT
# ratchet: rotates the node's key once a day with a one-way function and removes past keys from
# flash. A person who reads the flash cannot open messages of earlier days (docs/wire.md section 4).

import binascii
import json
import os
import struct

from micropython import const

from ugs.wire import keys

_PERIOD_MS = const(86_400_000)
_AGAIN_MS = const(3_600_000)  # after a flash failure
# Check value of the provisioned key, half turn of starts of this key (ugs.ledger.boots) and epoch,
# UTC of the rotation, key, MQTT password.
_RECORD = ">4sIQ32s16s"
_EPOCH_BITS = const(20)
_CRC = const(4)
# littlefs does not overwrite in place. A small file takes a fresh block and two entries in the log
# of its folder. Twice as many writes as there are free blocks have overwritten every place.
_DUE = "scrub.due"
_PAD = const(600)
_LOG_TURNS = const(64)
_BLOCKS_MAX = const(1000)
_NODE = "node.json"


class KeysError(ValueError):
    pass


class Ratchet:
    # key: of node.json, None if it holds none any more. Raises KeysError if there is no key at all.
    #   epoch, key, keys: for sealing and opening; faults: count of flash failures
    #   half: the half turn of starts of this key, None before the first start with it
    #   left: remaining steps of the scrub, None before they are counted

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
        # How many places are left to overwrite; None: not yet counted.
        is_due = _DUE in os.listdir() or (key and self.epoch)
        self.left = None if is_due else 0

    def step(self, wall_ms):
        # Whether there are new keys. Called only while the gateway answers to the present ones.
        if wall_ms is None or 0 <= wall_ms - self._since_ms < _PERIOD_MS:
            return False
        try:
            if not self._since_ms:
                self._save(self.epoch, wall_ms, self.key)  # first time known: the period starts
                return False
            self._mark()
            key = keys.next_key(self.key, self.epoch + 1)
            self._save(self.epoch + 1, wall_ms, key)
        except OSError:
            self._fail("rotation")
            self._since_ms = wall_ms - _PERIOD_MS + _AGAIN_MS
            return False
        self._use(key)
        return True

    def start(self, half):
        # `half`: the half turn of boot numbers of this start. In another half than at the last
        # start, the boot numbers may have been used before, so the key is rotated, answered or not.
        # If flash fails, the new key is used anyway: the next start repeats the rotation, with
        # other boot numbers.
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
        print("key rotated epoch=%d" % self.epoch)

    def scrub(self):
        # One small step: each erase of flash stops sampling for about 50 ms.
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
        # The provisioned key leads to all later keys.
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
