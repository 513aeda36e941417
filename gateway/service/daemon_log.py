# SPDX-License-Identifier: MIT
"""Service: the log of the gateway on standard error: one line an event, with time and level.

A thread of its own writes it from a bounded queue, so that a reader that stops, a full disk or a
closed pipe delays and ends nothing. Lines of one kind that come too often are counted; the next one
states how many were left out. Secrets of the configuration are replaced.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from gateway.config.secrets import without_secrets

_QUEUE_MAX = 10_000
_CLOSE_S = 2.0
_BURST, _PER_S = 60, 1.0  # lines of one kind at once, and after that
_KINDS_MAX = 500
_TEXT_MAX, _TRACE_MAX = 2_000, 6_000
_END: None = None


class LineWriter:
    """Lines to a file descriptor, by a thread. `put` never waits and never raises; `lost` counts
    lines.

    Not to a stream of Python: its lock would hold up the end of the process behind a stopped
    reader.
    """

    def __init__(self, descriptor: int, size: int = _QUEUE_MAX) -> None:
        self.lost = 0
        self._descriptor = descriptor
        self._queue: queue.Queue[str | None] = queue.Queue(size)
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Write it soon, or count it as lost where the queue is full."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self.lost += 1

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Wait for what is queued, but not for a reader that has stopped."""
        with suppress(queue.Full):
            self._queue.put(_END, timeout=timeout_s)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                self._write(f"{line}\n".encode(errors="backslashreplace"))
            except OSError:  # a full disk, a closed pipe: the next one may succeed
                self.lost += 1

    def _write(self, raw: bytes) -> None:
        while raw:
            raw = raw[os.write(self._descriptor, raw) :]


class Limit:
    """At most `burst` lines of a kind at once and `per_s` later; the others are counted."""

    def __init__(
        self, clock_s: Callable[[], float], burst: int = _BURST, per_s: float = _PER_S
    ) -> None:
        self._clock_s, self._burst, self._per_s = clock_s, burst, per_s
        # By kind: what may come at once, when that was true, and how many were left out.
        self._known: OrderedDict[tuple[str, int, str], tuple[float, float, int]] = OrderedDict()

    def left_out(self, kind: tuple[str, int, str]) -> int | None:
        """How many were left out before this one; None where it is left out, too."""
        now_s = self._clock_s()
        free, since_s, count = self._known.pop(kind, (float(self._burst), now_s, 0))
        free = min(self._burst, free + (now_s - since_s) * self._per_s)
        is_let_in = free >= 1
        self._known[kind] = (free - 1, now_s, 0) if is_let_in else (free, now_s, count + 1)
        if len(self._known) > _KINDS_MAX:
            self._known.popitem(last=False)
        return count if is_let_in else None


class DaemonHandler(logging.Handler):
    """Every record as one line, plain or JSON."""

    def __init__(self, writer: LineWriter, as_json: bool, limit: Limit) -> None:
        super().__init__()
        self._writer, self._as_json, self._limit = writer, as_json, limit

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises: a log is no reason to end."""
        try:
            kind = (record.name, record.levelno, str(record.msg)[:200])
            left_out = self._limit.left_out(kind)
            if left_out is not None:
                self._writer.put(self._line(record, left_out, self._writer.lost))
        except Exception:
            self._writer.lost += 1

    def _line(self, record: logging.LogRecord, left_out: int, lost: int) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, str | int] = {
            "type": "log",
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "from": record.name.removeprefix("gateway."),
            "text": _shown(_message(record), _TEXT_MAX),
        }
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            fields["trace"] = _shown(trace.strip(), _TRACE_MAX)
        if left_out:
            fields["left_out"] = left_out
        if lost:
            fields["lost"] = lost
        if self._as_json:
            return json.dumps(fields)
        words = "{at} {level} {from}: {text}".format(**fields)
        more = [f"{name}={fields[name]}" for name in ("left_out", "lost") if name in fields]
        trace = f" | {fields['trace']}" if "trace" in fields else ""
        return " ".join([words, *more]) + trace


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # arguments that do not fit, or whose representation fails
        return f"{record.msg} ({type(error).__name__} in its arguments)"


def _shown(text: str, most: int) -> str:
    """On one line, without secrets, bounded: the start and the end of what is too long."""
    text = without_secrets(text)
    text = " | ".join(line.strip() for line in text.splitlines() if line.strip())
    text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def start(as_json: bool = False, level: int = logging.INFO) -> LineWriter:
    """Everything that is logged, warned of or raised in a thread goes there from now on."""
    writer = LineWriter(sys.stderr.fileno())
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(DaemonHandler(writer, as_json, Limit(time.monotonic)))
    root.setLevel(level)
    logging.captureWarnings(True)
    log = logging.getLogger(__name__)
    threading.excepthook = lambda given: log.error(
        "a thread failed: %s",
        given.thread.name if given.thread else "unknown",
        exc_info=given.exc_value,
    )
    sys.unraisablehook = lambda given: log.error(
        "an error that nothing could take: %s", given.err_msg or "", exc_info=given.exc_value
    )
    return writer
