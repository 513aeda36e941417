# SPDX-License-Identifier: MIT
# update: the part that is always loaded: accepts the command, carries chunk requests and chunks,
# reports the outcome. The update itself (ugs.update.install) is loaded for each update, because it
# takes 16 KB of heap.

import asyncio
import gc
import sys

from micropython import const

from ugs.wire import schema

_MANIFEST_MAX = const(24_576)
_COMMAND_BYTES = const(100)  # SHA-256, signature, size (docs/wire.md section 7)
_ASK_AGAIN_MS = const(5_000)
_ASK_AGAIN_MS_MAX = const(60_000)
# Half an hour without an answer: the gateway sends the command again when it is back.
_ASKS_MAX = const(32)
_POLL_MS = const(50)
_IDLE_MS = const(1_000)
_LOAD_PAUSE_MS = const(260)  # two cycles of the sampling task
# Each module imports only those before it.
_MODULES = ("sha512", "ed25519", "image", "manifest", "install")

_OK = schema.enum_value("result", "status", "ok")
REFUSED = schema.enum_value("result", "status", "refused")
FAILED = schema.enum_value("result", "status", "failed")
BAD_SIGNATURE = const(1)
NO_KEY = const(2)
OTHER_BOARD = const(3)
NOT_NEWER = const(4)
MALFORMED = const(5)
BUSY = const(6)
CORRUPT = const(7)
FLASH = const(8)
SILENT = const(9)
TAKEN_BACK = const(10)
OTHER_MPY = const(11)


def unload():
    package = sys.modules["ugs.update"]
    for name in _MODULES:
        sys.modules.pop("ugs.update." + name, None)
        if hasattr(package, name):
            delattr(package, name)


class UpdateError(Exception):
    def __init__(self, status, value):
        super().__init__("status=%d value=%d" % (status, value))
        self.status = status
        self.value = value


class Updater:
    # key: the release public key, None if this node accepts no updates. version: of the running
    # firmware. record(name, values) stores a result; restart() ends this boot; alive() reports
    # progress; wake() is called when a chunk request can be sent.
    #   is_busy: an update is under way

    def __init__(self, key, board, version, slots, record, restart, alive, wake):
        self.is_busy = False
        self._key = key
        self._board = board
        self._version = version
        self._slots = slots
        self._record = record
        self._restart = restart
        self._alive = alive
        self._wake = wake
        self._number = 0
        self._order = None  # (digest, signature, size) still to be done
        self._request = None  # [file, offset] that is not answered yet
        self._is_asking = False
        self._data = None

    def take(self, command, now_ms):
        # A rejection as (status, value), or None: a result follows when the update ends.
        if command["id"] == self._slots.command:
            return None  # tried already; its result was sent or is queued
        data = command.get("data", b"")
        if len(data) != _COMMAND_BYTES:
            return REFUSED, MALFORMED
        size = int.from_bytes(data[96:], "big")
        if not 0 < size <= _MANIFEST_MAX:
            return REFUSED, MALFORMED
        if self._key is None:
            return REFUSED, NO_KEY
        if self.is_busy or self._slots.on_trial:
            return REFUSED, BUSY
        self.is_busy = True
        self._number = command["id"]
        self._order = (bytes(data[:32]), bytes(data[32:96]), size)
        return None

    def next_chunk_request(self, now_ms):
        # The values of a chunk request to send now, or None.
        if not self._is_asking or self._request is None:
            return None
        self._is_asking = False
        number, offset = self._request
        return {"t_ms": now_ms, "command_id": self._number, "file": number, "offset": offset}

    def on_chunk(self, chunk):
        if self._request != [chunk["file"], chunk["offset"]] or chunk["command_id"] != self._number:
            return  # of another update, or a duplicate
        self._data = chunk["data"]
        self._request = None

    def report_outcome(self, now_ms):
        # Stores the result of the trial durably before the slot record forgets it.
        slots = self._slots
        if slots.outcome:
            is_kept = slots.outcome == slots.COMMITTED
            status, value = (_OK, slots.version) if is_kept else (FAILED, TAKEN_BACK)
            self._report(now_ms, slots.command, status, value)
            slots.clear()

    async def run(self, uptime_ms):
        while True:
            self._alive()
            if self._order is not None:
                try:
                    await self._install()
                except UpdateError as error:
                    self._report(uptime_ms(), self._number, error.status, error.value)
                except OSError:
                    self._report(uptime_ms(), self._number, FAILED, FLASH)
                self._order = self._request = None
                self.is_busy = False
                gc.collect()
            await asyncio.sleep_ms(_IDLE_MS)

    def _report(self, now_ms, number, status, value):
        print("update ended command=%d status=%d value=%d" % (number, status, value))
        self._record(
            "result", {"t_ms": now_ms, "command_id": number, "status": status, "value": value}
        )

    async def _install(self):
        spare = self._slots.spare()
        print("update begins command=%d image=%s" % (self._number, spare))
        try:
            for name in _MODULES:
                await self._load("ugs.update." + name)
            install = sys.modules["ugs.update.install"].Install(self._slots, self.ask, self._alive)
            version = await install.run(
                self._key, self._board, max(self._slots.floor, self._version), *self._order
            )
        finally:
            unload()
        self._slots.start_trial(version, self._number)
        print("update whole version=%d image=%s" % (version, spare))
        self._restart()

    async def _load(self, name):
        # One at a time: loading all together stops the sampling task for longer than the 1 s that
        # the ring of the converter holds.
        self._slots.mount()
        try:
            __import__(name)
        finally:
            self._slots.umount()
        gc.collect()
        self._alive()
        await asyncio.sleep_ms(_LOAD_PAUSE_MS)

    async def ask(self, number, offset):
        # The chunk at `offset` of a file; requested again until it arrives.
        again_ms = _ASK_AGAIN_MS
        self._request = [number, offset]
        for _ in range(_ASKS_MAX):
            self._is_asking = True
            self._wake()
            for _ in range(again_ms // _POLL_MS):
                if self._request is None:
                    data, self._data = self._data, None
                    return data
                self._alive()
                await asyncio.sleep_ms(_POLL_MS)
            again_ms = min(2 * again_ms, _ASK_AGAIN_MS_MAX)
        raise UpdateError(FAILED, SILENT)
