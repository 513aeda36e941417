# SPDX-License-Identifier: MIT
# remote: changes settings of this node at once and stores them. No sample is lost: sampling does
# not depend on them.

import binascii

from micropython import const

from ugs.wire import schema

_OK = schema.enum_value("result", "status", "ok")
_REFUSED = schema.enum_value("result", "status", "refused")
_UNSUPPORTED = schema.enum_value("result", "status", "unsupported")
_FAILED = schema.enum_value("result", "status", "failed")
_RADIO = const(2)  # key of the setting
# Values of the result (docs/wire.md section 7).
_MALFORMED = const(1)
_UNKNOWN = const(2)
_OUT_OF_BOUNDS = const(3)
_NO_RADIO = const(4)
_FLASH = const(6)
_NEEDS_BURST = const(9)


def take(node, kept, folder, command):
    # (status, value): the result; without data nothing is changed. `kept` is ugs.remote.settings.
    changed = kept.Settings()
    for row in kept.ROWS:
        setattr(changed, row[1], getattr(node.settings, row[1]))
    data = command.get("data", b"")
    problem = change(changed, kept, data)
    if not problem and changed.sampling and not changed.radio and not names_radio(data, kept):
        # A node that sleeps is not connected.
        changed.radio = 1
        changed.data = kept.encode(changed)
    if not problem and (changed.radio or changed.sampling) and node.is_wired:
        problem = _NO_RADIO
    if not problem and changed.sampling and not changed.radio:
        problem = _NEEDS_BURST
    if not problem and changed.sampling and node.board.sleeper is None:
        return _UNSUPPORTED, None
    if problem:
        return _REFUSED, problem
    if changed.data != node.settings.data:
        # On flash first: the result states what the next boot uses.
        try:
            save(changed, kept, folder)
        except OSError:
            return _FAILED, _FLASH
        node.apply(changed)
    return _OK, None


def names_radio(data, kept):
    for at in range(0, len(data), kept.ROW):
        if data[at] == _RADIO:
            return True
    return False


def change(settings, kept, data):
    # Sets everything in the data and returns 0; or changes nothing and returns the reason.
    rows = {row[0]: row for row in kept.ROWS}
    if len(data) % kept.ROW:
        return _MALFORMED
    before = 0
    for at in range(0, len(data), kept.ROW):
        if data[at] <= before:
            return _MALFORMED  # twice, or out of order
        before = data[at]
        row = rows.get(before)
        if row is None:
            return _UNKNOWN
        if not row[2] <= kept.value_at(data, at) <= row[3]:
            return _OUT_OF_BOUNDS
    for at in range(0, len(data), kept.ROW):
        setattr(settings, rows[data[at]][1], kept.value_at(data, at))
    settings.data = kept.encode(settings)
    return 0


def save(settings, kept, folder):
    # Raises OSError; then the previous settings are still whole.
    count, _data, path = kept.newest(folder)
    body = (count + 1).to_bytes(kept.COUNT, "big") + settings.data
    whole = body + binascii.crc32(body).to_bytes(kept.CRC, "big")
    path = folder + kept.FILES[1 if path == kept.FILES[0] else 0]
    with open(path, "wb") as file:
        file.write(whole)
    with open(path, "rb") as file:
        if file.read() != whole:
            raise OSError("settings do not read back")
