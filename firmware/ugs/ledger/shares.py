# SPDX-License-Identifier: MIT
# ledger: how many messages of each kind may wait for their receipt. Detections get all the rest, so
# no other kind can push them out of the ledger.

import array

from micropython import const

from ugs.wire import schema

_CONDITION = const(4)  # message ids of ugs.wire.schema
_DETECTION = const(2)
# Eight reports of one condition keep the times of four starts and ends.
_SAME_CONDITION = const(8)
_CONDITIONS = const(128)
_OTHERS = const(32)
# Gap reports: a gateway that waits for lost messages needs them, so they are never rejected.
# Ledger.take_dropped() waits while there are so many.
GAP_REPORTS = const(16)
_ROW = const(3)
_GAP = schema.enum_value("condition", "kind", "records_dropped")
_NAMES = {row[0]: row[1] for row in schema.MESSAGES}


def code_of(payload):
    # The message id, with the kind of a condition: id << 8 | kind. The payload is a map whose key 0
    # is the id; a condition's t_ms and kind follow (docs/wire.md section 5). 0 for any other form.
    if len(payload) < 8:
        return 0
    number = payload[2]
    if number != _CONDITION:
        return number << 8
    head = payload[4] & 0x1F
    at = 6 if head < 24 else 6 + (1 << head - 24)
    if at + 1 >= len(payload):
        return 0
    kind = payload[at]
    return number << 8 | (payload[at + 1] if kind == 0x18 else kind)


def is_detection(payload):
    return code_of(payload) == _DETECTION << 8


class Shares:
    #   refused: by name, count of messages rejected because their share was full
    #   dropped: by name, count of messages dropped without a receipt

    def __init__(self):
        self.refused = {}
        self.dropped = {}
        # (boot, seq, code) of all waiting messages except detections
        self._rows = array.array("H")

    def has_room(self, code):
        # Whether another message of this kind may be stored.
        if code >> 8 == _DETECTION or code == _CONDITION << 8 | _GAP:
            return True
        if code >> 8 == _CONDITION:
            same = self._count(code, 0xFFFF)
            return same < _SAME_CONDITION and self._count(code, 0xFF00) < _CONDITIONS
        return self._count(code, 0xFF00) < _OTHERS

    def has_room_for_gap_report(self):
        return self._count(_CONDITION << 8 | _GAP, 0xFFFF) < GAP_REPORTS

    def _count(self, code, mask):
        rows, count = self._rows, 0
        for i in range(2, len(rows), _ROW):
            count += rows[i] & mask == code & mask
        return count

    def refuse(self, code):
        self._add(self.refused, code)

    def note(self, boot, seq, payload):
        # Counts a message that waits for its receipt.
        code = code_of(payload)
        if code >> 8 != _DETECTION:
            self._rows.extend(array.array("H", (boot, seq, code)))

    def settle(self, boot, seq):
        # All of `boot` up to `seq` has its receipt.
        self._forget(boot, 0, seq)

    def drop(self, boot, first, last):
        # These were dropped without a receipt.
        codes = self._forget(boot, first, last)
        for code in codes:
            self._add(self.dropped, code)
        self._add(self.dropped, _DETECTION << 8, last - first + 1 - len(codes))

    def _forget(self, boot, first, last):
        # Returns the codes of the removed rows.
        rows, kept, codes = self._rows, array.array("H"), []
        for i in range(0, len(rows), _ROW):
            if rows[i] == boot and first <= rows[i + 1] <= last:
                codes.append(rows[i + 2])
            else:
                kept.extend(rows[i : i + _ROW])
        if codes:
            self._rows = kept
        return codes

    def _add(self, counts, code, count=1):
        name = _NAMES.get(code >> 8, "unknown")
        if count:
            counts[name] = counts.get(name, 0) + count
