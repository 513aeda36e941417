# SPDX-License-Identifier: MIT
"""wire vectors: the messages, with every key written out by hand from docs/wire.md."""

from __future__ import annotations

from typing import Any

import cbor2

U16, U32, U53 = 0xFFFF, 0xFFFFFFFF, 0x1FFFFFFFFFFFFF
Fields = dict[str, tuple[int, Any]]

# (name of the vector, message, message id, fields as name: (key, value))
MESSAGES: list[tuple[str, str, int, Fields]] = [
    (
        "hello_of_a_fresh_node",
        "hello",
        1,
        {
            "t_ms": (1, 1834),
            "fw": (2, "0.1.0"),
            "board": (3, "pico_w"),
            "schema": (4, 1),
            "reset_cause": (5, 0),
            "fs_hz": (6, 250),
            "heap_free": (7, 101_232),
        },
    ),
    (
        "hello_at_its_largest",
        "hello",
        1,
        {
            "t_ms": (1, U32),
            "fw": (2, "~" * 16),
            "board": (3, " " * 16),
            "schema": (4, 255),
            "reset_cause": (5, 8),
            "fs_hz": (6, U16),
            "heap_free": (7, U32),
            "oldest_seq": (8, U16),
            "conditions": (9, U32),
            "conditions_seq": (10, U16),
            "reset_detail": (11, "~" * 20),
            "turn": (12, U16),
            "settings": (13, bytes(range(1, 25))),
            "radio_s": (14, U32),
        },
    ),
    (
        "detection_onset",
        "detection",
        2,
        {
            "t_ms": (1, 65_536),
            "phase": (2, 1),
            "class": (3, 1),
            "confidence_pct": (4, 24),
            "peak_um_s_x100": (5, 256),
            "cadence_hz_x20": (6, 0),
            "pir_count": (7, 0),
        },
    ),
    (
        "detection_at_its_largest",
        "detection",
        2,
        {
            "t_ms": (1, U32),
            "phase": (2, 3),
            "class": (3, 5),
            "confidence_pct": (4, 100),
            "peak_um_s_x100": (5, U16),
            "cadence_hz_x20": (6, 255),
            "pir_count": (7, 23),
            "elapsed_s_x10": (8, U16),
        },
    ),
    (
        "detection_at_its_smallest",
        "detection",
        2,
        {
            "t_ms": (1, 0),
            "phase": (2, 1),
            "class": (3, 0),
            "confidence_pct": (4, 0),
            "peak_um_s_x100": (5, 0),
            "cadence_hz_x20": (6, 0),
            "pir_count": (7, 0),
        },
    ),
    (
        "health_at_its_largest",
        "health",
        3,
        {
            "t_ms": (1, U32),
            "battery_mv": (2, U16),
            "rssi_dbm": (3, -128),
            "floor_um_s_x100": (4, U16),
            "samples_missed": (5, U16),
            "ledger_pending": (6, U16),
        },
    ),
    (
        "health_with_short_numbers",
        "health",
        3,
        {
            "t_ms": (1, 23),
            "battery_mv": (2, 24),
            "rssi_dbm": (3, -24),
            "floor_um_s_x100": (4, 255),
            "samples_missed": (5, 256),
            "ledger_pending": (6, 0),
        },
    ),
    (
        "condition_tamper",
        "condition",
        4,
        {"t_ms": (1, 90_000), "kind": (2, 1), "active": (3, 1)},
    ),
    (
        "condition_records_dropped",
        "condition",
        4,
        {
            "t_ms": (1, U32),
            "kind": (2, 6),
            "active": (3, 1),
            "value": (4, U32),
            "boot": (5, U16),
        },
    ),
    (
        "snippet_of_three_samples",
        "snippet",
        5,
        {
            "t_ms": (1, 1000),
            "command_id": (2, 7),
            "fs_hz": (3, 250),
            "index": (4, 0),
            "total": (5, 1),
            "encoding": (6, 1),
            "data": (7, bytes((0, 127, 255))),
        },
    ),
    (
        "snippet_at_its_largest",
        "snippet",
        5,
        {
            "t_ms": (1, U32),
            "command_id": (2, U32),
            "fs_hz": (3, U16),
            "index": (4, U16),
            "total": (5, U16),
            "encoding": (6, 1),
            "data": (7, bytes(i & 255 for i in range(1024))),
        },
    ),
    (
        "result_refused",
        "result",
        6,
        {"t_ms": (1, 2000), "command_id": (2, 0x10000), "status": (3, 1), "value": (4, 0)},
    ),
    ("receipt_of_one_boot", "receipt", 16, {"upto": (1, [1, 0])}),
    (
        "receipt_of_eight_boots",
        "receipt",
        16,
        {"upto": (1, [n for boot in range(65_528, 65_536) for n in (boot, U16)])},
    ),
    ("time_now", "time", 17, {"utc_ms": (1, 1_795_410_000_000), "echo_ms": (2, 5_040_000)}),
    ("time_at_its_largest", "time", 17, {"utc_ms": (1, U53), "echo_ms": (2, U32)}),
    ("command_ping", "command", 18, {"id": (1, 1), "kind": (2, 1)}),
    (
        "command_with_everything",
        "command",
        18,
        {
            "id": (1, U32),
            "kind": (2, 4),
            "expires_ms": (3, U32),
            "value": (4, U32),
            "data": (5, b""),
        },
    ),
    (
        "footfalls_of_one_step",
        "footfalls",
        8,
        {
            "t_ms": (1, 65_536),
            "utc_ms": (2, 1_795_410_000_000),
            "error_ms": (3, 3),
            "footfalls": (4, [0, 412]),
        },
    ),
    (
        "footfalls_at_their_largest",
        "footfalls",
        8,
        {"t_ms": (1, U32), "utc_ms": (2, U53), "error_ms": (3, 10), "footfalls": (4, [U16] * 16)},
    ),
    (
        "chunk_request_of_the_manifest",
        "chunk_request",
        7,
        {"t_ms": (1, 61_000), "command_id": (2, 9), "file": (3, 0), "offset": (4, 0)},
    ),
    (
        "chunk_request_at_its_largest",
        "chunk_request",
        7,
        {"t_ms": (1, U32), "command_id": (2, U32), "file": (3, 255), "offset": (4, U32)},
    ),
    (
        "chunk_at_its_smallest",
        "chunk",
        19,
        {"command_id": (1, 9), "file": (2, 1), "offset": (3, 0), "data": (4, b"#")},
    ),
    (
        "chunk_at_its_largest",
        "chunk",
        19,
        {
            "command_id": (1, U32),
            "file": (2, 255),
            "offset": (3, U32),
            "data": (4, bytes(i & 255 for i in range(1024))),
        },
    ),
    (
        "result_with_settings_in_use",
        "result",
        6,
        {
            "t_ms": (1, U32),
            "command_id": (2, U32),
            "status": (3, 0),
            "data": (5, bytes.fromhex("01003c 020000 03fffb")),
        },
    ),
    (
        "log_part",
        "log",
        9,
        {"command_id": (1, 7), "index": (2, 0), "total": (3, 2), "data": (4, b"3 link up\n")},
    ),
    (
        "log_part_at_its_largest",
        "log",
        9,
        {"command_id": (1, U32), "index": (2, 255), "total": (3, 255), "data": (4, b"~" * 96)},
    ),
    ("command_identify", "command", 18, {"id": (1, 1), "kind": (2, 6), "value": (4, 20)}),
]


def payload_of(number: int, fields: Fields) -> bytes:
    """Key 0 and the fields, by cbor2."""
    return cbor2.dumps({0: number, **dict(fields.values())}, canonical=True)
