# SPDX-License-Identifier: MIT
"""`groundwatch node monitor`: the console lines of a node and their summary, live."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import click
import serial
from rich.console import Console

from gateway.commands.options import json_option
from gateway.links.frames import MAX_FRAME, decode_frame
from tools.errors import UserError
from tools.flash.ports import ports, the_port

_BAUD = 115_200
_MAX_LINE = 300  # characters; longer lines are cut and counted
_READ_S = 0.1
_RETRY_S = 0.5
_PAIR = re.compile(r"(\w+)=(\S+)")
_LABEL = re.compile(r"^([a-z]+(?: [a-z]+)?)(?= \w+=)")
# Lines that report a fault, from any part of the firmware.
_FAULT = re.compile(r"^(node stops|task failed|watchdog starved|link failed|board faulty|Trace)")


@dataclass
class Health:
    """What the lines so far report of the node."""

    facts: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def take(self, line: str) -> dict[str, Any]:
        """The line's kind and values, which are added to this summary."""
        label = match[1] if (match := _LABEL.match(line)) else ""
        values = dict(_PAIR.findall(line)) if label else {}
        self.seen["lines"] += 1
        if label:
            self.seen[label] += 1
        if _FAULT.match(line):
            self.seen["faults"] += 1
        if label == "node started":
            self.facts |= values
        elif label in ("link up", "link failed"):
            self.facts["link"] = "up" if label == "link up" else values.get("cause", "failed")
        elif label == "detection":
            self.facts["last"] = f"{values.get('class', '?')} at {values.get('onset_ms', '?')} ms"
        return {"kind": label or "text", **values}


class Text:
    """Removes frames from console bytes and returns the text between them."""

    def __init__(self) -> None:
        self.frames = 0
        self._frame: bytes | None = None  # bytes since a 0x00 that may have started one

    def feed(self, data: bytes) -> bytes:
        text = b""
        for index, part in enumerate(data.split(b"\0")):
            if index:
                text += self._mark()
            if self._frame is None:
                text += part
            elif len(self._frame) + len(part) <= MAX_FRAME:
                self._frame += part
            else:
                text, self._frame = text + self._frame + part, None
        return text

    def _mark(self) -> bytes:
        """A 0x00 starts or ends a frame. After bytes that are no frame, it can be either."""
        ended, self._frame = self._frame, b""
        if not ended:
            return b""
        try:
            decode_frame(ended)
        except ValueError:
            return ended
        self.frames += 1
        self._frame = None
        return b""


class Lines:
    """Bytes as received -> printable lines of bounded length: the device is not trusted."""

    def __init__(self) -> None:
        self.cut = 0
        self.text = Text()
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[str]:
        *whole, self._rest = (self._rest + self.text.feed(data)).split(b"\n")
        for part in whole:
            skipped, self._skipping = self._skipping, False
            if not skipped:
                yield self._plain(part)
        if len(self._rest) > 4 * _MAX_LINE:
            if not self._skipping:
                yield self._plain(self._rest)
            self._rest, self._skipping = b"", True

    def _plain(self, part: bytes) -> str:
        text = part.decode("utf-8", "replace").rstrip("\r")
        if len(text) > _MAX_LINE:
            self.cut += 1
            text = text[:_MAX_LINE]
        return "".join(sign if sign.isprintable() else "?" for sign in text)


@click.command()
@click.option("--port", help="the node's port  [default: the one that is plugged in]")
@click.option("--seconds", type=float, help="stop after this time  [default: Ctrl-C]")
@json_option("one JSON object for each line")
def monitor(port: str | None, seconds: float | None, as_json: bool) -> None:
    """Show the node's lines until the time is over. Waits for an unplugged node."""
    if seconds is not None and not 0 < seconds <= 1e7:
        raise UserError("--seconds must be a number of seconds, as in --seconds 60")
    found = the_port(port, ports())
    end_s = time.monotonic() + (seconds or 1e9)
    health, lines = Health(), Lines()
    console = Console(highlight=False)
    try:
        for data in _bytes(found, lambda: time.monotonic() > end_s):
            for line in lines.feed(data):
                _show(console, as_json, line, health.take(line))
    except KeyboardInterrupt:
        pass
    summary = {"type": "summary", **health.facts, **health.seen, "cut": lines.cut}
    if lines.text.frames:
        summary["frames"] = lines.text.frames
    if as_json:
        print(json.dumps(summary))
    else:
        words = "  ".join(f"{k}={v}" for k, v in summary.items() if k != "type")
        console.print(words, markup=False, soft_wrap=True)


def _bytes(port: str, is_over: Callable[[], bool]) -> Iterator[bytes]:
    """Received bytes, also after the node is replugged. At the first open the port must exist."""
    was_here = False
    while not is_over():
        try:
            with serial.Serial(port, _BAUD, timeout=_READ_S, exclusive=True) as line:
                if was_here:
                    print(f"{port} is back", file=sys.stderr)
                was_here = True
                while not is_over():
                    yield line.read(max(1, line.in_waiting))
        except (OSError, ValueError) as error:
            if not was_here:
                raise UserError(
                    f"cannot open {port}: {getattr(error, 'strerror', error)}"
                ) from None
            time.sleep(_RETRY_S)


def _show(console: Console, as_json: bool, line: str, fields: dict[str, Any]) -> None:
    if as_json:
        print(json.dumps({"type": "line", "text": line, **fields}), flush=True)
        return
    style = "red" if _FAULT.match(line) else "cyan" if fields["kind"] == "detection" else None
    console.print(line, markup=False, soft_wrap=True, style=style)
