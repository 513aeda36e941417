# SPDX-License-Identifier: MIT
"""The requests of the control channel: one JSON object a line, with its kind in "do".

docs/emulated-board.md explains each. Times are emulated microseconds since the program started.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sim_hardware.emulated.inputs import CHANNELS, CODE_MAX, GPIOS
from sim_hardware.emulated.names import DELAY_MS_MAX, Answer
from sim_hardware.emulated.network import Wifi
from sim_hardware.errors import SimError

REQUEST_BYTES_MAX = 1 << 16
LINES_AT_ONCE_MAX = 2_000

Microseconds = Annotated[int, Meta(ge=0, le=1 << 53)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Seconds = Annotated[float, Meta(gt=0, le=1e6)]
Milliseconds = Annotated[int, Meta(ge=1, le=3_600_000)]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class Request(msgspec.Struct, tag_field="do", tag=str.lower, forbid_unknown_fields=True):
    """The base of all requests."""


class Time(Request):
    """The emulated time, and whether the board is powered."""


class Wait(Request):
    """Answered once the emulated time is `until_us`."""

    until_us: Microseconds


class Lines(Request):
    """What the board printed, from line number `after` on."""

    after: Count = 0
    most: Annotated[int, Meta(ge=1, le=LINES_AT_ONCE_MAX)] = LINES_AT_ONCE_MAX


class Line(Request):
    """Answered once the board has printed a line that contains `has`, from number `after` on."""

    has: Text
    within_s: Seconds = 60.0
    after: Count = 0


class Reset(Request):
    """Pull RUN low for a moment."""


class Power(Request):
    """Switch the power off or on. With `for_ms` it returns by itself."""

    on: bool
    for_ms: Milliseconds | None = None


class WifiLink(Request, tag="wifi"):
    """Change the state of the radio link; with `for_ms` it is on again after that."""

    state: Wifi
    for_ms: Milliseconds | None = None


class Dns(Request):
    """Set the answer of the name server and its delay."""

    answer: Answer
    delay_ms: Annotated[int, Meta(ge=0, le=DELAY_MS_MAX)] = 0


class Pin(Request):
    """Drive a pin from outside, now or at a time."""

    gpio: Annotated[int, Meta(ge=0, le=GPIOS)]
    level: bool
    at_us: Microseconds | None = None


class Adc(Request):
    """Set the 12-bit code of a converter channel, now or from a time on."""

    channel: Annotated[int, Meta(ge=0, lt=CHANNELS)]
    code: Annotated[int, Meta(ge=0, le=CODE_MAX)]
    at_us: Microseconds | None = None


class Take(Request):
    """Play the signals of one node of a take: ground on GP26, PIR edges on GP15."""

    folder: Text
    node: Text
    at_us: Microseconds | None = None


class Flash(Request):
    """Write the whole flash to a file."""

    file: Text


class Feeds(Request):
    """The times at which the watchdog was fed, from a time on."""

    since_us: Microseconds = 0


class Load(Request):
    """The load of the processor, sampled a thousand times a second."""

    for_s: Seconds


class Counters(Request):
    """The counters since the program started."""


AnyRequest = (
    Time
    | Wait
    | Lines
    | Line
    | Reset
    | Power
    | WifiLink
    | Dns
    | Pin
    | Adc
    | Take
    | Flash
    | Feeds
    | Load
    | Counters
)
_DECODER = msgspec.json.Decoder(AnyRequest)


def parse(line: bytes) -> AnyRequest:
    """Decode one request. Raises SimError with the reason for an invalid one."""
    try:
        request: AnyRequest = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SimError(f"invalid request: {error}") from None
    return request
