# SPDX-License-Identifier: MIT
# ledger: keeps every durable message on flash from before it is sent until the gateway's receipt.

import array
import os

from micropython import const

from ugs.ledger.boots import is_after
from ugs.ledger.segment import FRAME, PAYLOAD_MAX, RECORD_MAX, find, pack, unpack
from ugs.ledger.shares import Shares, is_detection

# One segment fits one erase block (4096 B): appending copies one block, removing frees one.
_SEGMENT_BYTES = const(4096)
_SEGMENT_RECORDS = const(64)
# Drops the oldest: after a drop at least 19 * 64 = 1216 messages stay, in 80 KB of flash. Of these
# at most 128 are conditions, 32 results and 20 gap reports (ugs.ledger.shares): 1036 are
# detections.
_SEGMENTS = const(20)
# Boots whose gap is not yet reported. Power cuts can leave one message per boot.
_GAPS = const(64)
# Segments are read through a window of about twenty records, to save heap.
_WINDOW_BYTES = const(1024)
# Records that flash did not accept wait here, are sent anyway, and are written when flash works
# again.
_UNWRITTEN = const(16)


class _Segment:
    # runs: boot, first seq, last seq, boot ... of the records in the file, in order of writing.
    # Plain numbers, not lists: after many short power-ons every record has its own boot.
    def __init__(self, number):
        self.number = number
        self.size = 0
        self.records = 0
        self.runs = array.array("H")

    def note(self, boot, seq, size):
        self.size += size
        self.records += 1
        runs = self.runs
        if runs and runs[-3] == boot and runs[-1] == seq - 1:
            runs[-1] = seq
        else:
            runs.extend(array.array("H", (boot, seq, seq)))

    def each_run(self):
        for i in range(0, len(self.runs), 3):
            yield self.runs[i], self.runs[i + 1], self.runs[i + 2]


class Ledger:
    # append() writes, after(position) reads on from a position, receipt() removes. A position is
    # (boot, seq); messages are ordered by it. Only the index is held in memory.
    #   faults: flash operations that failed
    #   lost: messages dropped without a receipt; take_dropped() returns which
    #   shares: how many messages of each kind may wait, and how many of each were rejected or
    #   dropped

    def __init__(self, folder):
        self.folder = folder
        self.faults = 0
        self.lost = 0
        self.shares = Shares()
        self._dropped = {}
        self._received = {}
        self._unwritten = []
        self._segments = []
        self._next_number = 0
        self._ends_torn = False
        self._newest_boot = 0
        # The part of a segment last read, and where the message after the last returned one starts.
        self._window = bytearray(_WINDOW_BYTES)
        self._window_number = -1
        self._window_at = 0
        self._window_end = 0
        self._hint = (-1, None, 0)

    def newest_boot(self):
        # Boot of the newest record on flash, 0 if there is none. load() takes a second when the
        # ledger is full; this reads the newest file only.
        for number in reversed(self._numbers()):
            newest = 0
            try:
                size = os.stat(self._path(number))[6]
                record = self._read(number, 0, size)
                while record is not None:
                    newest, _seq, _payload, end = record
                    record = self._read(number, end, size)
            except OSError:
                continue
            if newest:
                return newest
        return 0

    def load(self, sample=None):
        # Reads the index from flash. A torn last record is left out, and nothing is appended after
        # it. Calls sample() before each file.
        buffer = bytearray(_SEGMENT_BYTES)
        for number in self._numbers():
            if sample is not None:
                sample()
            if number < 0:
                self.faults += 1
                continue
            self._next_number = number + 1
            try:
                file_bytes = os.stat(self._path(number))[6]
                segment = self._index(number, buffer)
            except OSError:
                # Left in place: the next boot may be able to read it.
                self.faults += 1
                self._ends_torn = True
                continue
            self._ends_torn = segment.size != file_bytes
            if segment.records:
                self._segments.append(segment)
                self._newest_boot = segment.runs[-3]
            else:
                self._remove(number)

    def _numbers(self):
        # Numbers of all files, in order of creation; -1 for a file with an unknown name.
        numbers = []
        for name in os.listdir(self.folder):
            if name.endswith(".seg"):
                try:
                    numbers.append(int(name[:-4]))
                except ValueError:
                    numbers.append(-1)
        numbers.sort()
        return numbers

    def _fill(self, number, buffer):
        with open(self._path(number), "rb") as file:
            return file.readinto(buffer)

    def _index(self, number, buffer):
        # Reads a whole file at once: a start waits for all of them.
        size = self._fill(number, buffer)
        segment = _Segment(number)
        record = find(buffer, 0, size)
        while record is not None:
            boot, seq, payload, end = record
            if end - segment.size > len(payload) + FRAME:
                self.faults += 1  # the record before it is damaged
            segment.note(boot, seq, end - segment.size)
            self.shares.note(boot, seq, payload)
            record = find(buffer, end, size)
        return segment

    def forget_future(self, boot):
        # Boot numbers half a turn or more behind `boot` compare as later. They will be used again,
        # under the keys that these records would be sealed with.
        for held_boot, first, last in self._runs():
            if is_after(held_boot, 0, (boot, 0)):
                self.lost += last - max(first - 1, self._received.get(held_boot, 0))
                self._received[held_boot] = last
                self.shares.settle(held_boot, last)

    def append(self, boot, seq, payload):
        # True if the message is on flash; False if flash failed and it is only in memory. In both
        # cases after() offers it until its receipt.
        if len(payload) > PAYLOAD_MAX:
            raise ValueError("payload too long for the ledger")
        self._newest_boot = boot
        self._unwritten.append((boot, seq, bytes(payload)))
        self.shares.note(boot, seq, payload)
        if len(self._unwritten) > _UNWRITTEN:
            old_boot, old_seq = self._unwritten.pop(0)[:2]
            self._note_dropped(old_boot, old_seq, old_seq)
        return self.write_back()

    def write_back(self):
        # Writes all records that wait in memory; False if flash fails (again).
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
            except (OSError, MemoryError):  # opening a file takes 1 KB of heap
                self.faults += 1
                # How much was written is unknown: continue in a new file.
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
        # The gateway has committed everything of `boot` up to `seq`. Limited to the messages held:
        # one that does not exist yet cannot have been received.
        held = [last for held_boot, _first, last in self._runs() if held_boot == boot]
        if not held:
            return
        seq = min(seq, max(held))
        if seq > self._received.get(boot, 0):
            self._received[boot] = seq
            self.shares.settle(boot, seq)
            self._unwritten = [m for m in self._unwritten if not self._is_received(m[0], m[1])]

    def trim(self):
        # Removes the files whose messages all have their receipt. Called periodically: after a
        # power cut the rest is sent again, and the gateway ignores duplicates.
        kept = []
        for segment in self._segments:
            if self._is_all_received(segment):
                self._remove(segment.number)
            else:
                kept.append(segment)
        self._segments = kept
        newest = max(self._received) if self._received else 0
        gone = set(self._received)
        for boot, _first, _last in self._runs():
            gone.discard(boot)
        for boot in gone:
            if boot != newest:
                del self._received[boot]

    def after(self, position):
        # The oldest message after `position` without a receipt: (boot, seq, payload) or None.
        for segment in self._segments:
            boot, last = segment.runs[-3], segment.runs[-1]
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

    def before_newest(self, count):
        # The position just before the newest `count` detections, None if there is none.
        position = None
        for segment in [None] + self._segments[::-1]:
            found = [
                (boot, seq - 1)
                for boot, seq, payload in self._records(segment)
                if is_detection(payload) and not self._is_received(boot, seq)
            ]
            if found:
                position = found[-min(count, len(found))]
                count -= len(found)
            if count <= 0:
                break
        return position

    def _records(self, segment):
        # All records of a segment as far as readable; with None, the records not yet on flash.
        if segment is None:
            for message in self._unwritten:
                yield message
            return
        try:
            record = self._read(segment.number, 0, segment.size)
            while record is not None:
                yield record[:3]
                record = self._read(segment.number, record[3], segment.size)
        except OSError:
            self.faults += 1

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
        # (boot, highest seq dropped) of one boot, once; None if there is nothing to report. Only
        # after all messages below it have their receipt: a gap report settles all up to there at
        # the gateway, and its receipt would remove what flash still holds. The boot in use comes
        # first: until its gap is reported, no report gets its receipt. Then the oldest.
        if not self._dropped:
            return None
        boots = [self._newest_boot]
        if self.shares.has_room_for_gap_report():
            boots.append(min(self._dropped))
        for boot in boots:
            seq = self._dropped.get(boot)
            oldest = seq and self.oldest_seq(boot)
            if seq and (oldest is None or oldest > seq):
                del self._dropped[boot]
                return boot, seq
        return None

    def _runs(self):
        for segment in self._segments:
            for run in segment.each_run():
                yield run
        for boot, seq, _payload in self._unwritten:
            yield boot, seq, seq

    def _is_received(self, boot, seq):
        return seq <= self._received.get(boot, 0)

    def _is_all_received(self, segment):
        for boot, _first, last in segment.each_run():
            if not self._is_received(boot, last):
                return False
        return True

    def _note_dropped(self, boot, first, last):
        if first > last:
            return
        self.lost += last - first + 1
        self.shares.drop(boot, first, last)
        self._dropped[boot] = max(last, self._dropped.get(boot, 0))
        if len(self._dropped) > _GAPS:
            del self._dropped[min(self._dropped)]

    def _open_segment(self):
        if self._segments and not self._ends_torn:
            segment = self._segments[-1]
            if segment.records < _SEGMENT_RECORDS and segment.size + RECORD_MAX <= _SEGMENT_BYTES:
                return segment
        if len(self._segments) >= _SEGMENTS:
            self.trim()
        while len(self._segments) >= _SEGMENTS:
            oldest = self._segments.pop(0)
            for boot, first, last in oldest.each_run():
                self._note_dropped(boot, max(first, self._received.get(boot, 0) + 1), last)
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
        # The first whole record at or after `at` in the first `size` bytes of a segment, as from
        # unpack(): a damaged record does not affect the others. Raises OSError.
        while at + FRAME <= size:
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
            if record is not None:
                boot, seq, payload, end = record
                return boot, seq, payload, end + self._window_at
            at += 1
        return None
