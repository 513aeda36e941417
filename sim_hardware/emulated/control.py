# SPDX-License-Identifier: MIT
"""The control channel: a local socket of this user, one JSON object a line in each direction."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial, singledispatchmethod
from pathlib import Path
from typing import Any

from sim_hardware.emulated import flash, requests
from sim_hardware.emulated.board import Board
from sim_hardware.emulated.cable import Cable
from sim_hardware.emulated.inputs import PIR_GPIO
from sim_hardware.emulated.names import NameServer
from sim_hardware.emulated.network import Wifi
from sim_hardware.errors import SimError

CONNECTIONS_MAX = 16
_LOOK_S = 0.02
_LOAD_EVERY_US = 1_009  # in step with no period of a node

Answer = dict[str, Any]


class Control:
    """Answers requests about one board. `power(on)` switches its power."""

    def __init__(
        self, board: Board, cable: Cable, power: Callable[[bool], Any], started_s: float
    ) -> None:
        self.requests = self.errors = 0
        self._board = board
        self._cable = cable
        self._power = power
        self._started_s = started_s
        self._connections = self._wifi_changes = 0

    async def listen(self, path: Path) -> asyncio.Server:
        """Serve at `path`. Raises SimError where another program does."""
        listener = _listener(path)
        return await asyncio.start_unix_server(
            self._serve, sock=listener, limit=requests.REQUEST_BYTES_MAX
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= CONNECTIONS_MAX:
            writer.write(_line({"error": "too many programs are connected"}))
            writer.close()
            return
        self._connections += 1
        try:
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # longer than a request may be
                    writer.write(_line({"error": "the request is too long"}))
                    break
                if not line:
                    break
                writer.write(_line(await self._answer(line)))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._connections -= 1
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        self.requests += 1
        try:
            return {"ok": True, **await self._do(requests.parse(line))}
        except (SimError, OSError) as error:
            self.errors += 1
            return {"error": " ".join(str(error).split())}

    @singledispatchmethod
    async def _do(self, request: Any) -> Answer:
        raise NotImplementedError(type(request).__name__)

    @_do.register
    async def _(self, _request: requests.Time) -> Answer:
        return {
            "emulated_us": self._board.emulated_us,
            "wall_s": round(time.monotonic() - self._started_s, 3),
            "powered": self._board.is_powered,
            "plugged": self._cable.is_plugged,
            "boots": self._board.boots,
        }

    @_do.register
    async def _(self, request: requests.Wait) -> Answer:
        while self._board.emulated_us < request.until_us:
            await self._look()
        return {"emulated_us": self._board.emulated_us}

    @_do.register
    async def _(self, request: requests.Lines) -> Answer:
        lines, following = self._board.console.since(request.after, request.most)
        return {"lines": lines, "next": following, "lost": self._board.console.lost}

    @_do.register
    async def _(self, request: requests.Line) -> Answer:
        end_us = self._board.emulated_us + int(request.within_s * 1e6)
        number = request.after
        while True:
            is_over = self._board.emulated_us >= end_us
            lines, following = self._board.console.since(number, requests.LINES_AT_ONCE_MAX)
            first = following - len(lines)
            for place, (at_us, text) in enumerate(lines):
                if request.has in text:
                    return {"line": text, "at_us": at_us, "next": first + place + 1}
            number = following
            if is_over:
                raise SimError(f"no line with {request.has!r} within {request.within_s:g} s")
            await self._look()

    @_do.register
    async def _(self, _request: requests.Reset) -> Answer:
        if not self._board.is_powered:
            raise SimError("the board has no power")
        self._board.reset()
        return {}

    @_do.register
    async def _(self, request: requests.Power) -> Answer:
        if request.on == self._board.is_powered:
            raise SimError(f"the power is {'on' if request.on else 'off'} already")
        if request.on and request.for_ms is not None:
            raise SimError("for_ms is for a cut")
        await self._power(request.on)
        if request.for_ms is not None:
            # Emulated time runs meanwhile, no faster than the wall clock.
            await asyncio.sleep(request.for_ms / 1000)
            if self._board.is_powered:
                raise SimError("another program has given the power again")
            self._board.rest(request.for_ms * 1000)
            await self._power(True)
        return {"boots": self._board.boots}

    @_do.register
    async def _(self, request: requests.WifiLink) -> Answer:
        self._wifi(request.state)
        self._wifi_changes += 1
        if request.for_ms is not None:
            change = self._wifi_changes
            self._board.later(request.for_ms * 1000, lambda: self._end_wifi(change))
        return {}

    @_do.register
    async def _(self, request: requests.Dns) -> Answer:
        self._board.air.names = NameServer(request.answer, request.delay_ms)
        return {}

    @_do.register
    async def _(self, request: requests.Pin) -> Answer:
        return self._at(request.at_us, lambda: self._board.pin(request.gpio, request.level))

    @_do.register
    async def _(self, request: requests.Adc) -> Answer:
        return self._at(request.at_us, lambda: self._board.adc(request.channel, request.code))

    @_do.register
    async def _(self, request: requests.Take) -> Answer:
        from sim_hardware import take  # scipy under it takes seconds: not at the start

        found = take.load(request.folder)
        signal = found.signals.get(request.node)
        if signal is None:
            raise SimError(f"{request.folder} has no node {request.node}")
        start_us = max(request.at_us or 0, self._board.emulated_us)
        self._board.ground.play(signal, start_us)
        for number, edge_s in enumerate(signal.pir_edges_s):
            rises = number % 2 == 0
            self._board.at(start_us + int(edge_s * 1e6), partial(self._board.pin, PIR_GPIO, rises))
        return {"start_us": start_us, "duration_us": int(signal.duration_s * 1e6)}

    @_do.register
    async def _(self, request: requests.Flash) -> Answer:
        flash.save(Path(request.file), self._board.flash)
        return {}

    @_do.register
    async def _(self, request: requests.Feeds) -> Answer:
        return {"feeds_us": [at for at in self._board.feeds_us if at >= request.since_us]}

    @_do.register
    async def _(self, request: requests.Load) -> Answer:
        end_us = self._board.emulated_us + int(request.for_s * 1e6)
        looks = [0, 0]

        def look() -> None:
            looks[0] += 1
            looks[1] += self._board.is_busy
            if self._board.emulated_us < end_us:
                self._board.later(_LOAD_EVERY_US, look)

        look()
        while self._board.emulated_us < end_us:
            await self._look()
        return {"looks": looks[0], "busy": looks[1]}

    @_do.register
    async def _(self, _request: requests.Counters) -> Answer:
        return {
            "boots": self._board.boots,
            "adc_reads": self._board.adc_reads,
            "first_reading_us": self._board.first_reading_us,
            "lines_lost": self._board.console.lost,
            "serial_to_host_bytes": self._cable.to_host,
            "serial_from_host_bytes": self._cable.from_host,
            "serial_dropped_bytes": self._cable.dropped,
            **asdict(self._board.air.traffic),
            "requests": self.requests,
            "request_errors": self.errors,
        }

    async def _look(self) -> None:
        """Wait before the next check of a board. Raises SimError when its time has stopped."""
        if not self._board.is_powered:
            raise SimError("the board has no power")
        await asyncio.sleep(_LOOK_S)

    def _wifi(self, state: Wifi) -> None:
        self._board.air.wifi = state
        self._board.follow_wifi()

    def _end_wifi(self, change: int) -> None:
        if change == self._wifi_changes:  # else the state has changed again
            self._wifi(Wifi.ON)

    def _at(self, at_us: int | None, action: Callable[[], None]) -> Answer:
        now_us = self._board.emulated_us
        if at_us is None:
            action()
            return {"at_us": now_us}
        if at_us < now_us:
            raise SimError(f"{at_us} us has passed: it is {now_us} us")
        self._board.at(at_us, action)
        return {"at_us": at_us}


def _line(answer: Answer) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _listener(path: Path) -> socket.socket:
    """A socket of this user at `path`; one that an earlier run left there is removed."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise SimError(f"{path} is the control channel of a board that runs")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        listener.close()
        raise SimError(f"no control channel at {path}: {error.strerror or error}") from None
    return listener
