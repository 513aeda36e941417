# SPDX-License-Identifier: MIT
# wire: the table of all messages. The node uses it directly; `groundwatch wire` generates the
# gateway's dataclasses, docs/wire.md and docs/groundwatch.cddl from it. Comments are read as well:
# that of a field is "unit: meaning", or "unit, v2: meaning" for a field since that version; the
# lines above a table describe the message. They use no RAM.
#
# Rules for changes: a number is never used twice. A removed field becomes a row of kind RESERVED, a
# removed value gets the name "". New fields are optional. Gateways are updated before nodes,
# because a decoder rejects unknown fields.
from micropython import const

VERSION = const(4)
MAX_SEALED = const(1536)  # bytes of a sealed message, both directions
MAX_PAYLOAD = const(1512)  # bytes before sealing: MAX_SEALED less the largest envelope (24 bytes)
MAX_TOPIC = const(64)

# kinds of field; low and high bound the value, or the length in bytes, or the count of numbers
UINT = const(0)
INT = const(1)
BYTES = const(2)
TEXT = const(3)  # printable ASCII
ENUM = const(4)
PAIRS = const(5)  # array of u16, an even count of them
RESERVED = const(14)  # 6, and optional
OPT = const(8)  # added to the kind of an optional field

UP = const(0)
DOWN = const(1)

# counter spaces of the up direction
DURABLE = const(0)
VOLATILE = const(1)

_U8 = const(0xFF)
_U16 = const(0xFFFF)
_U32 = const(0xFFFFFFFF)
_U53 = const(0x1FFFFFFFFFFFFF)

# names of enumerated values; the first name stands for the `low` of the field
RESET_CAUSE = (
    "power_on",
    "hard",
    "watchdog",
    "soft",
    "deepsleep",
    "unknown",
    # Since version 2, where the node itself caused the reset:
    "reboot",
    "stuck_task",
    "exception",
)
PHASE = ("onset", "update", "end")
TARGET_CLASS = ("unknown", "person", "group", "animal", "vehicle", "digging")
CONDITION_KIND = (
    "tamper",
    "low_battery",
    "sensor_fault",
    "clock_unset",
    "link_lost",
    "records_dropped",
    "samples_missed",
    "samples_clipped",
    "ledger_fault",
    "restarted",
    "down_refused",
    "pir_fault",
    "safe_mode",
    # Since version 3:
    "wakes_ignored",
    # Since version 4:
    "line_noise",
)
SNIPPET_ENCODING = ("mulaw8",)
RESULT_STATUS = ("ok", "refused", "unsupported", "failed", "expired")
COMMAND_KIND = (
    "ping",
    "reboot",
    "snippet",
    "configure",
    "update",
    # Since version 3:
    "identify",
    "log",
)

# field: (key, name, kind, low, high, names), by ascending key. Six items take one heap block less
# than eight: data that only the documents need is in the comment, such as the version of a field.

# Sent first on every new connection: identifies the node and its boot.
_HELLO = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime when sent
    (2, "fw", TEXT, 1, 16, None),  # -: firmware version
    (3, "board", TEXT, 1, 16, None),  # -: board name
    (4, "schema", UINT, 1, _U8, None),  # -: version of this table
    (5, "reset_cause", ENUM, 0, 8, RESET_CAUSE),  # -: why this boot started
    (6, "fs_hz", UINT, 1, _U16, None),  # Hz: sample rate
    (7, "heap_free", UINT, 0, _U32, None),  # byte: free heap
    (8, "oldest_seq", OPT | UINT, 1, _U16, None),  # -: oldest durable seq of this boot held
    (9, "conditions", OPT | UINT, 0, _U32, None),  # -, v2: those active now, bit k for kind k
    (10, "conditions_seq", OPT | UINT, 0, _U16, None),  # -, v2: newest durable seq they include
    (11, "reset_detail", OPT | TEXT, 1, 20, None),  # -, v2: by cause, see section 7
    (12, "turn", OPT | UINT, 0, _U16, None),  # -, v2: how often boot numbers started again at 1
    (13, "settings", OPT | BYTES, 0, 24, None),  # -, v3: those in use, see section 7
    (14, "radio_s", OPT | UINT, 0, _U32, None),  # s, v3: how long the radio was on in this boot
    (15, "asleep_s", OPT | UINT, 0, _U32, None),  # s, v3: how long a sentinel slept in this boot
)

# One activity as one node classifies it: onset, updates, end; boot and t_ms identify it.
_DETECTION = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime of the onset, the same in every phase
    (2, "phase", ENUM, 1, 3, PHASE),  # -: which report of the activity this is
    (3, "class", ENUM, 0, 5, TARGET_CLASS),  # -: class of the target
    (4, "confidence_pct", UINT, 0, 100, None),  # %: confidence in the class
    (5, "peak_um_s_x100", UINT, 0, _U16, None),  # 10 nm/s: peak since the last report
    (6, "cadence_hz_x20", UINT, 0, _U8, None),  # 0.05 Hz: step rate, 0 when there is none
    (7, "pir_count", UINT, 0, 23, None),  # -: PIR pulses so far, saturating
    (8, "elapsed_s_x10", OPT | UINT, 0, _U16, None),  # 0.1 s: since the onset; not in the onset
)

# The heartbeat.
_HEALTH = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime when sent
    (2, "battery_mv", UINT, 0, _U16, None),  # mV: battery voltage
    (3, "rssi_dbm", INT, -128, 0, None),  # dBm: of the signal, -128 unknown
    (4, "floor_um_s_x100", UINT, 0, _U16, None),  # 10 nm/s: noise floor, saturating
    (5, "samples_missed", UINT, 0, _U16, None),  # -: since boot, saturating
    (6, "ledger_pending", UINT, 0, _U16, None),  # -: durable messages without a receipt
)

# A condition of the node itself started or ended. Volatile only as the Will (link_lost).
_CONDITION = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime of the change
    (2, "kind", ENUM, 1, 15, CONDITION_KIND),  # -: what
    (3, "active", UINT, 0, 1, None),  # -: 1 started, 0 ended
    (4, "value", OPT | UINT, 0, _U32, None),  # -: by kind, see section 7
    (5, "boot", OPT | UINT, 1, _U16, None),  # -: records_dropped: boot of the dropped records
)

# One part of a waveform excerpt that a command requested.
_SNIPPET = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime of the part's first sample
    (2, "command_id", UINT, 0, _U32, None),  # -: the command answered
    (3, "fs_hz", UINT, 1, _U16, None),  # Hz: sample rate
    (4, "index", UINT, 0, _U16, None),  # -: number of this part, from 0
    (5, "total", UINT, 1, _U16, None),  # -: count of parts
    (6, "encoding", ENUM, 1, 1, SNIPPET_ENCODING),  # -: mulaw8 is one byte per sample
    (7, "data", BYTES, 0, 1024, None),  # -: samples, oldest first
)

# The result of a command.
_RESULT = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime when done
    (2, "command_id", UINT, 0, _U32, None),  # -: the command answered
    (3, "status", ENUM, 0, 4, RESULT_STATUS),  # -: outcome
    (4, "value", OPT | UINT, 0, _U32, None),  # -: by command
    (5, "data", OPT | BYTES, 0, 24, None),  # -, v3: by command
)

# Requests the next chunk of a firmware update; repeated until it arrives.
_CHUNK_REQUEST = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime when requested
    (2, "command_id", UINT, 0, _U32, None),  # -: the update command it is part of
    (3, "file", UINT, 0, _U8, None),  # -: 0 the manifest, n the file on its n-th line
    (4, "offset", UINT, 0, _U32, None),  # byte: where the chunk starts
)

# Arrival times of footfalls, while a person is detected and the clock is good; sent once.
_FOOTFALLS = (
    (1, "t_ms", UINT, 0, _U32, None),  # ms: uptime of the onset of the activity
    (2, "utc_ms", UINT, 0, _U53, None),  # ms: UTC of the first footfall
    (3, "error_ms", UINT, 0, 10, None),  # ms: bound of the clock's error
    (4, "footfalls", PAIRS, 2, 16, None),  # -: ms after the first, level in 10 nm/s, ...
)

# One part of the log lines of a node, in answer to a log command; never sent twice.
_LOG = (
    (1, "command_id", UINT, 0, _U32, None),  # -, v3: the command answered
    (2, "index", UINT, 0, _U8, None),  # -, v3: number of this part, from 0
    (3, "total", UINT, 1, _U8, None),  # -, v3: count of parts
    (4, "data", BYTES, 0, 96, None),  # -, v3: text, UTF-8; a character may lie in two parts
)

# Durable messages are committed at the gateway; the node may remove them.
_RECEIPT = (
    (1, "upto", PAIRS, 2, 16, None),  # -: boot, seq, ...: all of that boot up to seq
)

# Wall time, in answer to a hello or a health.
_TIME = (
    (1, "utc_ms", UINT, 0, _U53, None),  # ms: UTC since 1970-01-01, when sent
    (2, "echo_ms", UINT, 0, _U32, None),  # ms: t_ms of the message answered
)

# A task for the node; answered by a result with its id.
_COMMAND = (
    (1, "id", UINT, 0, _U32, None),  # -: identifies the command
    (2, "kind", ENUM, 1, 7, COMMAND_KIND),  # -: what to do
    (3, "expires_ms", OPT | UINT, 0, _U32, None),  # ms: node uptime after which not to do it
    (4, "value", OPT | UINT, 0, _U32, None),  # -: by kind
    (5, "data", OPT | BYTES, 0, 1024, None),  # -: by kind
)

# A chunk of a firmware update, in answer to a chunk request.
_CHUNK = (
    (1, "command_id", UINT, 0, _U32, None),  # -: as in the chunk request
    (2, "file", UINT, 0, _U8, None),  # -: as in the chunk request
    (3, "offset", UINT, 0, _U32, None),  # byte: as in the chunk request
    (4, "data", BYTES, 1, 1024, None),  # -: 1024 bytes, fewer at the end of the file
)

# message: (id, name, direction, counter spaces, fields)
MESSAGES: tuple = (
    (1, "hello", UP, (VOLATILE,), _HELLO),
    (2, "detection", UP, (DURABLE,), _DETECTION),
    (3, "health", UP, (VOLATILE,), _HEALTH),
    (4, "condition", UP, (DURABLE, VOLATILE), _CONDITION),
    (5, "snippet", UP, (VOLATILE,), _SNIPPET),
    (6, "result", UP, (DURABLE,), _RESULT),
    (7, "chunk_request", UP, (VOLATILE,), _CHUNK_REQUEST),
    (8, "footfalls", UP, (VOLATILE,), _FOOTFALLS),
    (9, "log", UP, (VOLATILE,), _LOG),
    (16, "receipt", DOWN, (), _RECEIPT),
    (17, "time", DOWN, (), _TIME),
    (18, "command", DOWN, (), _COMMAND),
    (19, "chunk", DOWN, (), _CHUNK),
)


def _fields(message):
    for row in MESSAGES:
        if row[1] == message:
            return row[4]
    raise ValueError("no message " + message)


def _enum(message, field):
    for row in _fields(message):
        if row[1] == field and row[2] & ~OPT == ENUM:
            return row
    raise ValueError("no enum " + message + "." + field)


# The number of a named value: enum_value("condition", "kind", "tamper"). Call it at import.
def enum_value(message, field, name):
    row = _enum(message, field)
    return row[3] + row[5].index(name)


# The name of a value, for log lines.
def enum_name(message, field, value):
    row = _enum(message, field)
    return row[5][value - row[3]]
