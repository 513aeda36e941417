# SPDX-License-Identifier: MIT
# slots: chooses the firmware image to start, and keeps the outcome of an update until it is
# reported (docs/updates.md). An image is one file (package.py). This file is not updated over the
# air: the code that chooses must not be inside an image.

import binascii
import io
import os
import struct
import sys
import time

from micropython import const

SAFE_MODE = "safe_mode"
_TREES = ("a", "b")
# Two files written in turn: if power fails during a write, the other file stays whole.
_FILES = ("slot0", "slot1")
# count, active image, trial, tries left, crashes, spare is whole, floor, version on trial, command,
# outcome; of the last start: was it healthy, was it safe mode, is it to be retried; the cause and
# detail of its own reset
_RECORD = ">IBBBBBIIIBBBBB20s"
_CRC = const(4)
_DETAIL = const(20)
_TRIES = const(3)
# Successive crashes, each before the node was healthy, after which safe mode starts.
_CRASHES_MAX = const(5)
_U8_MAX = const(255)
# After a crash the next start waits, twice as long each time: a boot number costs a flash write,
# and an operator at the cable needs time for Ctrl-C.
_WAIT_S = const(5)
_WAIT_S_MAX = const(300)
# The traceback of the last failure, for a person who reads the flash.
_FAILURE = "failure"
_FAILURE_MAX = const(1000)

# Causes reported by the hardware, with their numbers in a hello (ugs.wire.schema).
_POWER_ON = const(0)
_WATCHDOG = const(2)
_SOFT = const(3)
_DEEPSLEEP = const(4)
_UNKNOWN = const(5)


class Slots:
    # is_provisioned: there is a node.json, so this board is provisioned
    # image: the image in use since choose(); on_trial: it is not yet confirmed
    # cause, detail: why the previous start ended; wait_s: how long to wait before this one
    # floor: the highest version ever committed; version: that of the image on trial
    # command, outcome: the result of the update that `command` requested, until clear()
    NOTHING = const(0)
    COMMITTED = const(1)
    ROLLED_BACK = const(2)
    # Causes that a node can record for its own reset.
    REBOOT = const(6)
    STUCK_TASK = const(7)
    EXCEPTION = const(8)

    def __init__(self, folder="."):
        self.is_provisioned = "node.json" in os.listdir(folder)
        self._folder = folder
        self._paths = [folder + "/" + name for name in _FILES]
        self.on_trial = False
        self._count = self._active = self._trial = self._tries = self._crashes = 0
        self._spare_whole = self._well = self._safe = self._retry = self._left = 0
        self.floor = self.version = self.command = self.wait_s = 0
        self.outcome = self.NOTHING
        self.cause = _UNKNOWN
        self.detail = ""
        self._load()
        self.image = self.active()

    def choose(self, reset_cause):
        # The image of this boot. Counts the attempt before it is made, so that every failure is
        # counted.
        crashed = self._note_end(reset_cause)
        if self._trial and not self._tries:
            self._trial = self._crashes = self.wait_s = 0
            self.outcome = self.ROLLED_BACK
        self.on_trial = bool(self._trial)
        if self.on_trial:
            self._tries -= 1
            if self._save():
                self.image = self.spare()
                return self.image
            self.on_trial = False  # a try that is not counted could repeat for ever
        if self._crashes >= _CRASHES_MAX and self._may_fall_back():
            self._active ^= 1
            self._spare_whole = self._crashes = 0
        # If safe mode itself crashes, the normal firmware gets the next start.
        is_retry = self._retry or (crashed and self._safe)
        self._safe = int(self._crashes >= _CRASHES_MAX and not is_retry)
        self._retry = 0
        self._save()
        self.image = SAFE_MODE if self._safe else self.active()
        return self.image

    def count(self, reset_cause):
        # Replaces choose() on a node with only one image (frozen/main.py).
        self._note_end(reset_cause)
        self._save()

    def wait(self, feed):
        # After a crash, before a boot number is used.
        for _ in range(self.wait_s):
            feed()
            time.sleep(1)

    def _note_end(self, reset_cause):
        # Records how the previous start ended. Returns whether it crashed: firmware that failed
        # before it was healthy. A power cycle or a reset pin is no crash. A reset that the node
        # recorded itself counts only if power was not lost since.
        self.cause = reset_cause
        if self._left and reset_cause not in (_POWER_ON, _DEEPSLEEP):
            self.cause = self._left
        else:
            self.detail = ""
        self._left = 0
        crashed = False
        if self._well:
            self._crashes = 0
        elif self.cause in (_WATCHDOG, _SOFT, _UNKNOWN, self.STUCK_TASK, self.EXCEPTION):
            crashed = True
            self._crashes = min(self._crashes + 1, _U8_MAX)
            self.wait_s = min(_WAIT_S << min(self._crashes - 1, 8), _WAIT_S_MAX)
        self._well = 0
        return crashed

    def _may_fall_back(self):
        # Whether to fall back to the firmware used before; never below the newest version ever
        # used. This includes a node that lost both records and knows neither; it may never have had
        # an update.
        return self._spare_whole and _version(self.path(self.spare())) >= max(self.floor, 1)

    def retries(self):
        # How often safe mode has restarted the firmware without success.
        return max(0, self._crashes - _CRASHES_MAX)

    def leave(self, cause, detail):
        # Before a reset that the node makes itself: records the reason for the next start. On rp2
        # any such reset reads as a watchdog reset. It is kept in this record and not in the
        # watchdog's scratch registers: esp32 has none, and such a reset is rare enough for a flash
        # write.
        self._left = cause
        self.detail = detail[:_DETAIL]
        self._save()

    def keep_failure(self, name, error):
        # Replaces the previous one; lost if flash fails.
        try:
            with open(self._folder + "/" + _FAILURE, "w") as file:
                out = _Bounded(file)
                out.write("%s: %s\n" % (name, repr(error)[:200]))
                sys.print_exception(error, out)
        except (OSError, MemoryError):
            pass

    def spare(self):
        # The image that is not in use: updates are written to it.
        return _TREES[self._active ^ 1]

    def active(self):
        return _TREES[self._active]

    def path(self, image):
        return "%s/%s.fw" % (self._folder, image)

    def mount(self, read=None, feed=None):
        # Imports read from the image of this boot until umount(). Arguments as in package.attach().
        import package

        return package.attach(self.path(self.image), read, feed)

    def umount(self):
        sys.modules.pop("package").detach()  # with everything it holds

    # The following raise OSError if flash fails.

    def open_spare(self):
        # Before the first change to the spare image: it can no longer be a fallback.
        if self._spare_whole or self._trial:
            self._spare_whole = self._trial = 0
            self._must_save()

    def start_trial(self, version, command):
        # The spare image is complete: it is on trial from the next boot on.
        self._trial, self._tries, self._crashes = 1, _TRIES, 0
        self.version, self.command, self.outcome = version, command, self.NOTHING
        self._must_save()

    def commit(self):
        # The image on trial is confirmed.
        self._active ^= 1
        self._trial = self._crashes = 0
        self._spare_whole = self._well = 1
        self.floor = max(self.floor, self.version)
        self.outcome = self.COMMITTED
        self.on_trial = False
        self._must_save()

    def well(self):
        # The image in use is healthy.
        if not self._well:
            self._well = 1
            self._must_save()

    def clear(self):
        self.outcome = self.NOTHING
        self._must_save()

    def retry(self):
        # In safe mode: the active image is started once more.
        self._retry = 1
        self._must_save()

    def _load(self):
        found = [_read(path) for path in self._paths]
        whole = [fields for fields in found if fields]
        if whole:
            best = max(whole)
            self._count, self._active, self._trial, self._tries, self._crashes = best[:5]
            self._spare_whole, self.floor, self.version, self.command, self.outcome = best[5:10]
            self._well, self._safe, self._retry, self._left = best[10:14]
            self.detail = best[14].rstrip(b"\0").decode()
        elif None in found:
            # Both damaged: the spare may be the image that was in use.
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
            self._crashes,
            self._spare_whole,
            self.floor,
            self.version,
            self.command,
            self.outcome,
            self._well,
            self._safe,
            self._retry,
            self._left,
            self.detail.encode(),
        )
        try:
            with open(self._paths[(self._count + 1) & 1], "wb") as file:
                file.write(data + binascii.crc32(data).to_bytes(_CRC, "big"))
        except (OSError, MemoryError):  # opening a file takes 1 KB of heap
            return False
        self._count += 1
        return True


def _read(path):
    # The fields of a record; () if there is none yet, None if it is damaged.
    try:
        with open(path, "rb") as file:
            data = file.read(64)
    except OSError:
        return ()
    if not data:
        return ()  # a bundle creates it empty
    size = struct.calcsize(_RECORD)
    if len(data) != size + _CRC or data[size:] != binascii.crc32(data[:size]).to_bytes(_CRC, "big"):
        return None
    fields = struct.unpack(_RECORD, data[:size])
    return fields if fields[1] < len(_TREES) else None


def _version(path):
    # Version of the release in an image file: 1.2.3 as 1002003, as in ugs.version; 0 if none.
    try:
        with open(path, "rb") as file:
            for line in (file.read(200).split(b"\n"))[1:]:
                if line.startswith(b"version "):
                    high, middle, low = [int(part) for part in line[8:].split(b".")]
                    return (high * 1000 + middle) * 1000 + low
    except (OSError, ValueError):
        pass
    return 0


class _Bounded(io.IOBase):
    # Writes the first bytes only.

    def __init__(self, file):
        self._file = file
        self._left = _FAILURE_MAX

    def write(self, data):
        if not isinstance(data, str):
            data = bytes(data).decode()
        self._file.write(data[: self._left])
        self._left = max(0, self._left - len(data))
        return len(data)


def choose(reset_cause):
    # The record of this node, with the image of this boot chosen. A board that is not provisioned
    # counts nothing: no image can be confirmed there.
    record = Slots()
    if record.is_provisioned:
        record.choose(reset_cause)
    return record
