# SPDX-License-Identifier: MIT
# ledger: every durable message on flash from before it is sent until the gateway's receipt.

import os

from micropython import const

from ugs.ledger.boots import is_after
from ugs.ledger.segment import PAYLOAD_MAX, RECORD_MAX, pack, unpack

# One segment fits one erase block (4096 B): appending copies one block, forgetting frees one.
_SEGMENT_BYTES = const(4096)
_SEGMENT_RECORDS = const(64)
# Drop oldest: after a drop at least 19 * 64 = 1216 messages stay, in 80 KB of flash.
_SEGMENTS = const(20)
# Segments are read through a window of some twenty records, to spare the heap.
_WINDOW_BYTES = const(1024)
# What flash refuses waits here, is sent all the same, and is written when flash works again.
_UNWRITTEN = const(16)


class _Segment:
    # runs: [boot, first seq, last seq] of the records in the file, in order of writing.
    def __init__(self, number):
        self.number = number
        self.size = 0
        self.records = 0
        self.runs = []

    def note(self, boot, seq, size):
        self.size += size
        self.records += 1
        if self.runs and self.runs[-1][0] == boot and self.runs[-1][2] == seq - 1:
            self.runs[-1][2] = seq
        else:
            self.runs.append([boot, seq, seq])


class Ledger:
    # append() writes, after(position) reads on from a position, receipt() forgets. A position is
    # (boot, seq); messages are ordered by it. Nothing but the index is held in memory.
    #   faults: flash operations that failed
    #   lost:   messages dropped without a receipt; take_dropped() hands over which

    def __init__(self, folder):
        self.folder = folder
        self.faults = 0
        self.lost = 0
        self._dropped = {}
        self._received = {}
        self._unwritten = []
        self._segments = []
        self._next_number = 0
        self._ends_torn = False
        # The part of a segment last read, and where the message after the one last handed out
        # begins.
        self._window = bytearray(_WINDOW_BYTES)
        self._window_number = -1
        self._window_at = 0
        self._window_end = 0
        self._hint = (-1, None, 0)

    def load(self):
        # Reads the index from flash; returns the boot number of the newest record. A torn last
        # record is left out, and no more is appended behind it.
        newest = 0
        numbers = []
        for name in os.listdir(self.folder):
            if name.endswith(".seg"):
                try:
                    numbers.append(int(name[:-4]))
                except ValueError:
                    self.faults += 1
        for number in sorted(numbers):
            self._next_number = number + 1
            try:
                file_bytes = os.stat(self._path(number))[6]
                segment = self._index(number, file_bytes)
            except OSError:
                # Left where it is: the next boot may read it.
                self.faults += 1
                self._ends_torn = True
                continue
            self._ends_torn = segment.size != file_bytes
            if segment.records:
                self._segments.append(segment)
                newest = segment.runs[-1][0]
            else:
                self._remove(number)
        return newest

    def _index(self, number, file_bytes):
        segment = _Segment(number)
        record = self._read(number, 0, file_bytes)
        while record is not None:
            boot, seq, _payload, end = record
            segment.note(boot, seq, end - segment.size)
            record = self._read(number, end, file_bytes)
        return segment

    def forget_future(self, boot):
        # Boot numbers behind `boot` by half a turn or more look ahead of it: they will be used
        # again, under the keys that these records would be sealed with.
        for held_boot, first, last in self._runs():
            if is_after(held_boot, 0, (boot, 0)):
                self.lost += last - max(first - 1, self._received.get(held_boot, 0))
                self._received[held_boot] = last

    def append(self, boot, seq, payload):
        # True when the message is on flash; False when flash failed and it is in memory only.
        # Either way it will be offered by after() until its receipt.
        if len(payload) > PAYLOAD_MAX:
            raise ValueError("payload too long for the ledger")
        self._unwritten.append((boot, seq, bytes(payload)))
        if len(self._unwritten) > _UNWRITTEN:
            self._note_dropped(*self._unwritten.pop(0)[:2])
        return self.write_back()

    def write_back(self):
        # Writes what waits in memory in one go; False when flash fails (again).
        while self._unwritten:
            segment = self._open_segment()
            batch = []
            room = _SEGMENT_BYTES - segment.size
            for message in self._unwritten[: _SEGMENT_RECORDS - segment.records]:
                room -= RECORD_MAX
                if room >= 0:
                    batch.append(message)
            try:
                with open(self._path(segment.number), "ab") as file:
                    file.write(b"".join([pack(*message) for message in batch]))
            except OSError:
                self.faults += 1
                # How much of it arrived is unknown: go on in a new file.
                self._ends_torn = True
                if not segment.records:
                    self._segments.remove(segment)
                    self._remove(segment.number, expected=False)
                return False
            for boot, seq, payload in batch:
                segment.note(boot, seq, len(pack(boot, seq, payload)))
            self._unwritten = self._unwritten[len(batch) :]
            self._window_number = -1
        return True

    def receipt(self, boot, seq):
        # The gateway has committed everything of `boot` up to `seq`. Never taken beyond what is
        # held: a message not yet made cannot have been received.
        held = [last for held_boot, _first, last in self._runs() if held_boot == boot]
        if not held:
            return
        seq = min(seq, max(held))
        if seq > self._received.get(boot, 0):
            self._received[boot] = seq
            self._unwritten = [m for m in self._unwritten if not self._is_received(m[0], m[1])]

    def trim(self):
        # Removes the files whose messages all have their receipt. Called now and then: after a
        # power cut the rest is merely sent again, and the gateway knows it already.
        kept = []
        for segment in self._segments:
            if self._is_all_received(segment):
                self._remove(segment.number)
            else:
                kept.append(segment)
        self._segments = kept
        held = [run[0] for segment in kept for run in segment.runs]
        newest = max(self._received) if self._received else 0
        for boot in list(self._received):
            if boot != newest and boot not in held:
                del self._received[boot]

    def after(self, position):
        # The oldest message behind `position` that has no receipt: (boot, seq, payload) or None.
        for segment in self._segments:
            boot, _first, last = segment.runs[-1]
            if not is_after(boot, last, position) or self._is_all_received(segment):
                continue
            message = self._find_after(segment, position)
            if message is not None:
                return message
        for boot, seq, payload in self._unwritten:
            if is_after(boot, seq, position) and not self._is_received(boot, seq):
                return boot, seq, payload
        return None

    def _find_after(self, segment, position):
        hint_number, hint_position, at = self._hint
        if hint_number != segment.number or hint_position != position:
            at = 0
        while at < segment.size:
            try:
                record = self._read(segment.number, at, segment.size)
            except OSError:
                record = None
            if record is None:
                self.faults += 1
                return None
            boot, seq, payload, at = record
            if is_after(boot, seq, position) and not self._is_received(boot, seq):
                self._hint = (segment.number, (boot, seq), at)
                return boot, seq, payload
        return None

    def oldest_seq(self, boot):
        # The oldest message of `boot` still held, None when there is none.
        for held_boot, first, last in self._runs():
            received = self._received.get(boot, 0)
            if held_boot == boot and last > received:
                return max(first, received + 1)
        return None

    def pending(self):
        count = 0
        for boot, first, last in self._runs():
            count += max(0, last - max(first - 1, self._received.get(boot, 0)))
        return count

    def take_dropped(self):
        # (boot, highest seq dropped) of one boot, once; None when there is nothing to tell. Not
        # before all below it has its receipt: told of a gap, the gateway takes all up to there
        # as settled, and its receipt would forget what flash still holds.
        for boot, seq in self._dropped.items():
            oldest = self.oldest_seq(boot)
            if oldest is None or oldest > seq:
                del self._dropped[boot]
                return boot, seq
        return None

    def _runs(self):
        for segment in self._segments:
            for run in segment.runs:
                yield run
        for boot, seq, _payload in self._unwritten:
            yield boot, seq, seq

    def _is_received(self, boot, seq):
        return seq <= self._received.get(boot, 0)

    def _is_all_received(self, segment):
        for boot, _first, last in segment.runs:
            if not self._is_received(boot, last):
                return False
        return True

    def _note_dropped(self, boot, seq):
        self.lost += 1
        self._dropped[boot] = max(seq, self._dropped.get(boot, 0))

    def _open_segment(self):
        if self._segments and not self._ends_torn:
            segment = self._segments[-1]
            if segment.records < _SEGMENT_RECORDS and segment.size + RECORD_MAX <= _SEGMENT_BYTES:
                return segment
        if len(self._segments) >= _SEGMENTS:
            self.trim()
        while len(self._segments) >= _SEGMENTS:
            oldest = self._segments.pop(0)
            for boot, first, last in oldest.runs:
                for seq in range(first, last + 1):
                    if not self._is_received(boot, seq):
                        self._note_dropped(boot, seq)
            self._remove(oldest.number)
        segment = _Segment(self._next_number)
        self._next_number += 1
        self._ends_torn = False
        self._segments.append(segment)
        return segment

    def _path(self, number):
        return "%s/%08d.seg" % (self.folder, number)

    def _remove(self, number, expected=True):
        try:
            os.remove(self._path(number))
        except OSError:
            self.faults += expected

    def _read(self, number, at, size):
        # The record at `at` in the first `size` bytes of a segment, as unpack() gives it. Raises
        # OSError.
        if (
            number != self._window_number
            or at < self._window_at
            or (at + RECORD_MAX > self._window_end and self._window_end < size)
        ):
            self._window_number = -1
            with open(self._path(number), "rb") as file:
                file.seek(at)
                self._window_at = at
                self._window_end = at + file.readinto(self._window)
            self._window_number = number
        record = unpack(self._window, at - self._window_at, self._window_end - self._window_at)
        if record is None:
            return None
        boot, seq, payload, end = record
        return boot, seq, payload, end + self._window_at
