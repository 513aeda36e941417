# SPDX-License-Identifier: MIT
# remote: settings of one node that a command can change, as stored on flash. The rows are those of
# docs/wire.md section 7 and of gateway.model.node_settings; tests compare them.
# ugs.remote.configure changes them.

import binascii

from micropython import const

# Two files written in turn: if power fails during a write, the other file stays whole.
FILES = ("/set0", "/set1")
# count (u32), the settings as in the message, CRC-32 of both
COUNT = const(4)
CRC = const(4)
ROW = const(3)  # bytes: key (u8), value (i16)
# key, name, minimum, maximum, default
ROWS = (
    (1, "heartbeat_s", 30, 3_600, 60),
    (2, "radio", 0, 1, 0),
    (3, "threshold_x10", -20, 40, 0),
    (4, "sampling", 0, 1, 0),
)


class Settings:
    # The settings in use. A method would keep all of this module.
    #   data: the same as in the message
    heartbeat_s = radio = threshold_x10 = sampling = 0
    data = b""


def load(folder):
    # The settings on flash; one that is damaged, unknown or out of bounds has its default.
    settings = Settings()
    kept = newest(folder)[1]
    values = {}
    for at in range(0, len(kept) - ROW + 1, ROW):
        values[kept[at]] = value_at(kept, at)
    for key, name, low, high, first in ROWS:
        value = values.get(key, first)
        setattr(settings, name, value if low <= value <= high else first)
    settings.data = encode(settings)
    return settings


def newest(folder):
    # (count, settings, file) of the newest whole one; (0, nothing, no file) if there is none.
    best = (0, b"", "")
    for name in FILES:
        try:
            with open(folder + name, "rb") as file:
                data = file.read(64)
        except OSError:
            continue
        body = data[:-CRC]
        if len(body) < COUNT or binascii.crc32(body).to_bytes(CRC, "big") != data[-CRC:]:
            continue
        count = int.from_bytes(body[:COUNT], "big")
        if count > best[0]:
            best = (count, body[COUNT:], name)
    return best


def encode(settings):
    data = b""
    for row in ROWS:
        data += bytes((row[0],)) + (getattr(settings, row[1]) & 0xFFFF).to_bytes(2, "big")
    return data


def value_at(data, at):
    value = data[at + 1] << 8 | data[at + 2]
    return value - 0x10000 if value & 0x8000 else value
