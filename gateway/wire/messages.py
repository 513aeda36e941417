# SPDX-License-Identifier: MIT
"""wire: the messages, written by `groundwatch wire` from the schema table: not to be edited.

An optional field that is absent is None. Units end the names; ranges stand in the annotations.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from gateway.wire.field import Kind, WireEnum, wire

SCHEMA_VERSION = 4
MAX_SEALED = 1536  # bytes of a sealed message
MAX_PAYLOAD = 1512  # bytes before sealing
MAX_TOPIC = 64


class ResetCause(WireEnum):
    """Values of reset cause."""

    POWER_ON = 0
    HARD = 1
    WATCHDOG = 2
    SOFT = 3
    DEEPSLEEP = 4
    UNKNOWN = 5
    REBOOT = 6
    STUCK_TASK = 7
    EXCEPTION = 8


class Phase(WireEnum):
    """Values of phase."""

    ONSET = 1
    UPDATE = 2
    END = 3


class TargetClass(WireEnum):
    """Values of target class."""

    UNKNOWN = 0
    PERSON = 1
    GROUP = 2
    ANIMAL = 3
    VEHICLE = 4
    DIGGING = 5


class ConditionKind(WireEnum):
    """Values of condition kind."""

    TAMPER = 1
    LOW_BATTERY = 2
    SENSOR_FAULT = 3
    CLOCK_UNSET = 4
    LINK_LOST = 5
    RECORDS_DROPPED = 6
    SAMPLES_MISSED = 7
    SAMPLES_CLIPPED = 8
    LEDGER_FAULT = 9
    RESTARTED = 10
    DOWN_REFUSED = 11
    PIR_FAULT = 12
    SAFE_MODE = 13
    WAKES_IGNORED = 14
    LINE_NOISE = 15


class SnippetEncoding(WireEnum):
    """Values of snippet encoding."""

    MULAW8 = 1


class ResultStatus(WireEnum):
    """Values of result status."""

    OK = 0
    REFUSED = 1
    UNSUPPORTED = 2
    FAILED = 3
    EXPIRED = 4


class CommandKind(WireEnum):
    """Values of command kind."""

    PING = 1
    REBOOT = 2
    SNIPPET = 3
    CONFIGURE = 4
    UPDATE = 5
    IDENTIFY = 6
    LOG = 7


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """Sent first on every new connection: identifies the node and its boot."""

    ID: ClassVar[int] = 1
    NAME: ClassVar[str] = "hello"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # uptime when sent
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # firmware version
    fw: Annotated[str, wire(2, Kind.TEXT, 1, 16, "-")]
    # board name
    board: Annotated[str, wire(3, Kind.TEXT, 1, 16, "-")]
    # version of this table
    schema: Annotated[int, wire(4, Kind.UINT, 1, 255, "-")]
    # why this boot started
    reset_cause: Annotated[ResetCause, wire(5, Kind.ENUM, 0, 8, "-", enum=ResetCause)]
    # sample rate
    fs_hz: Annotated[int, wire(6, Kind.UINT, 1, 65535, "Hz")]
    # free heap
    heap_free: Annotated[int, wire(7, Kind.UINT, 0, 4294967295, "byte")]
    # oldest durable seq of this boot held
    oldest_seq: Annotated[int | None, wire(8, Kind.UINT, 1, 65535, "-")] = None
    # those active now, bit k for kind k
    conditions: Annotated[int | None, wire(9, Kind.UINT, 0, 4294967295, "-", since=2)] = None
    # newest durable seq they include
    conditions_seq: Annotated[int | None, wire(10, Kind.UINT, 0, 65535, "-", since=2)] = None
    # by cause, see section 7
    reset_detail: Annotated[str | None, wire(11, Kind.TEXT, 1, 20, "-", since=2)] = None
    # how often boot numbers started again at 1
    turn: Annotated[int | None, wire(12, Kind.UINT, 0, 65535, "-", since=2)] = None
    # those in use, see section 7
    settings: Annotated[bytes | None, wire(13, Kind.BYTES, 0, 24, "-", since=3)] = None
    # how long the radio was on in this boot
    radio_s: Annotated[int | None, wire(14, Kind.UINT, 0, 4294967295, "s", since=3)] = None
    # how long a sentinel slept in this boot
    asleep_s: Annotated[int | None, wire(15, Kind.UINT, 0, 4294967295, "s", since=3)] = None


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """One activity as one node classifies it: onset, updates, end; boot and t_ms identify it."""

    ID: ClassVar[int] = 2
    NAME: ClassVar[str] = "detection"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (0,)

    # uptime of the onset, the same in every phase
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # which report of the activity this is
    phase: Annotated[Phase, wire(2, Kind.ENUM, 1, 3, "-", enum=Phase)]
    # class of the target
    class_: Annotated[TargetClass, wire(3, Kind.ENUM, 0, 5, "-", enum=TargetClass)]
    # confidence in the class
    confidence_pct: Annotated[int, wire(4, Kind.UINT, 0, 100, "%")]
    # peak since the last report
    peak_um_s_x100: Annotated[int, wire(5, Kind.UINT, 0, 65535, "10 nm/s")]
    # step rate, 0 when there is none
    cadence_hz_x20: Annotated[int, wire(6, Kind.UINT, 0, 255, "0.05 Hz")]
    # PIR pulses so far, saturating
    pir_count: Annotated[int, wire(7, Kind.UINT, 0, 23, "-")]
    # since the onset; not in the onset
    elapsed_s_x10: Annotated[int | None, wire(8, Kind.UINT, 0, 65535, "0.1 s")] = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat."""

    ID: ClassVar[int] = 3
    NAME: ClassVar[str] = "health"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # uptime when sent
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # battery voltage
    battery_mv: Annotated[int, wire(2, Kind.UINT, 0, 65535, "mV")]
    # of the signal, -128 unknown
    rssi_dbm: Annotated[int, wire(3, Kind.INT, -128, 0, "dBm")]
    # noise floor, saturating
    floor_um_s_x100: Annotated[int, wire(4, Kind.UINT, 0, 65535, "10 nm/s")]
    # since boot, saturating
    samples_missed: Annotated[int, wire(5, Kind.UINT, 0, 65535, "-")]
    # durable messages without a receipt
    ledger_pending: Annotated[int, wire(6, Kind.UINT, 0, 65535, "-")]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of the node itself started or ended. Volatile only as the Will (link_lost)."""

    ID: ClassVar[int] = 4
    NAME: ClassVar[str] = "condition"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (0, 1)

    # uptime of the change
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # what
    kind: Annotated[ConditionKind, wire(2, Kind.ENUM, 1, 15, "-", enum=ConditionKind)]
    # 1 started, 0 ended
    active: Annotated[int, wire(3, Kind.UINT, 0, 1, "-")]
    # by kind, see section 7
    value: Annotated[int | None, wire(4, Kind.UINT, 0, 4294967295, "-")] = None
    # records_dropped: boot of the dropped records
    boot: Annotated[int | None, wire(5, Kind.UINT, 1, 65535, "-")] = None


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a waveform excerpt that a command requested."""

    ID: ClassVar[int] = 5
    NAME: ClassVar[str] = "snippet"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # uptime of the part's first sample
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # the command answered
    command_id: Annotated[int, wire(2, Kind.UINT, 0, 4294967295, "-")]
    # sample rate
    fs_hz: Annotated[int, wire(3, Kind.UINT, 1, 65535, "Hz")]
    # number of this part, from 0
    index: Annotated[int, wire(4, Kind.UINT, 0, 65535, "-")]
    # count of parts
    total: Annotated[int, wire(5, Kind.UINT, 1, 65535, "-")]
    # mulaw8 is one byte per sample
    encoding: Annotated[SnippetEncoding, wire(6, Kind.ENUM, 1, 1, "-", enum=SnippetEncoding)]
    # samples, oldest first
    data: Annotated[bytes, wire(7, Kind.BYTES, 0, 1024, "-")]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a command."""

    ID: ClassVar[int] = 6
    NAME: ClassVar[str] = "result"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (0,)

    # uptime when done
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # the command answered
    command_id: Annotated[int, wire(2, Kind.UINT, 0, 4294967295, "-")]
    # outcome
    status: Annotated[ResultStatus, wire(3, Kind.ENUM, 0, 4, "-", enum=ResultStatus)]
    # by command
    value: Annotated[int | None, wire(4, Kind.UINT, 0, 4294967295, "-")] = None
    # by command
    data: Annotated[bytes | None, wire(5, Kind.BYTES, 0, 24, "-", since=3)] = None


class ChunkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Requests the next chunk of a firmware update; repeated until it arrives."""

    ID: ClassVar[int] = 7
    NAME: ClassVar[str] = "chunk_request"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # uptime when requested
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # the update command it is part of
    command_id: Annotated[int, wire(2, Kind.UINT, 0, 4294967295, "-")]
    # 0 the manifest, n the file on its n-th line
    file: Annotated[int, wire(3, Kind.UINT, 0, 255, "-")]
    # where the chunk starts
    offset: Annotated[int, wire(4, Kind.UINT, 0, 4294967295, "byte")]


class Footfalls(msgspec.Struct, frozen=True, kw_only=True):
    """Arrival times of footfalls, while a person is detected and the clock is good; sent once."""

    ID: ClassVar[int] = 8
    NAME: ClassVar[str] = "footfalls"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # uptime of the onset of the activity
    t_ms: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "ms")]
    # UTC of the first footfall
    utc_ms: Annotated[int, wire(2, Kind.UINT, 0, 9007199254740991, "ms")]
    # bound of the clock's error
    error_ms: Annotated[int, wire(3, Kind.UINT, 0, 10, "ms")]
    # ms after the first, level in 10 nm/s, ...
    footfalls: Annotated[tuple[int, ...], wire(4, Kind.PAIRS, 2, 16, "-")]


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the log lines of a node, in answer to a log command; never sent twice."""

    ID: ClassVar[int] = 9
    NAME: ClassVar[str] = "log"
    DIRECTION: ClassVar[Literal["up", "down"]] = "up"
    SPACES: ClassVar[tuple[int, ...]] = (1,)

    # the command answered
    command_id: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "-", since=3)]
    # number of this part, from 0
    index: Annotated[int, wire(2, Kind.UINT, 0, 255, "-", since=3)]
    # count of parts
    total: Annotated[int, wire(3, Kind.UINT, 1, 255, "-", since=3)]
    # text, UTF-8; a character may lie in two parts
    data: Annotated[bytes, wire(4, Kind.BYTES, 0, 96, "-", since=3)]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Durable messages are committed at the gateway; the node may remove them."""

    ID: ClassVar[int] = 16
    NAME: ClassVar[str] = "receipt"
    DIRECTION: ClassVar[Literal["up", "down"]] = "down"
    SPACES: ClassVar[tuple[int, ...]] = ()

    # boot, seq, ...: all of that boot up to seq
    upto: Annotated[tuple[int, ...], wire(1, Kind.PAIRS, 2, 16, "-")]


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """Wall time, in answer to a hello or a health."""

    ID: ClassVar[int] = 17
    NAME: ClassVar[str] = "time"
    DIRECTION: ClassVar[Literal["up", "down"]] = "down"
    SPACES: ClassVar[tuple[int, ...]] = ()

    # UTC since 1970-01-01, when sent
    utc_ms: Annotated[int, wire(1, Kind.UINT, 0, 9007199254740991, "ms")]
    # t_ms of the message answered
    echo_ms: Annotated[int, wire(2, Kind.UINT, 0, 4294967295, "ms")]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A task for the node; answered by a result with its id."""

    ID: ClassVar[int] = 18
    NAME: ClassVar[str] = "command"
    DIRECTION: ClassVar[Literal["up", "down"]] = "down"
    SPACES: ClassVar[tuple[int, ...]] = ()

    # identifies the command
    id: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "-")]
    # what to do
    kind: Annotated[CommandKind, wire(2, Kind.ENUM, 1, 7, "-", enum=CommandKind)]
    # node uptime after which not to do it
    expires_ms: Annotated[int | None, wire(3, Kind.UINT, 0, 4294967295, "ms")] = None
    # by kind
    value: Annotated[int | None, wire(4, Kind.UINT, 0, 4294967295, "-")] = None
    # by kind
    data: Annotated[bytes | None, wire(5, Kind.BYTES, 0, 1024, "-")] = None


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of a firmware update, in answer to a chunk request."""

    ID: ClassVar[int] = 19
    NAME: ClassVar[str] = "chunk"
    DIRECTION: ClassVar[Literal["up", "down"]] = "down"
    SPACES: ClassVar[tuple[int, ...]] = ()

    # as in the chunk request
    command_id: Annotated[int, wire(1, Kind.UINT, 0, 4294967295, "-")]
    # as in the chunk request
    file: Annotated[int, wire(2, Kind.UINT, 0, 255, "-")]
    # as in the chunk request
    offset: Annotated[int, wire(3, Kind.UINT, 0, 4294967295, "byte")]
    # 1024 bytes, fewer at the end of the file
    data: Annotated[bytes, wire(4, Kind.BYTES, 1, 1024, "-")]


UpMessage: TypeAlias = (
    Hello | Detection | Health | Condition | Snippet | Result | ChunkRequest | Footfalls | Log
)
DownMessage: TypeAlias = Receipt | Time | Command | Chunk
Message: TypeAlias = UpMessage | DownMessage

MESSAGES: tuple[type[Message], ...] = (
    Hello,
    Detection,
    Health,
    Condition,
    Snippet,
    Result,
    ChunkRequest,
    Footfalls,
    Log,
    Receipt,
    Time,
    Command,
    Chunk,
)
