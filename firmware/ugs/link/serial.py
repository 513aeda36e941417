# SPDX-License-Identifier: MIT
# link: a wire to the gateway. Nothing indicates whether it is plugged in, except the answers.

import asyncio

from micropython import const

from ugs.lines import note
from ugs.link import frames

_POLL_MS = const(20)
# A hello without an answer is repeated after this time, twice as long each time.
_ASK_MS_MIN = const(2_000)
_ASK_MS_MAX = const(60_000)
# Every heartbeat (72 s at most) is answered: two missing answers are a silence.
_SILENCE_MS = const(150_000)
_STALL_MS = const(10_000)
_NO_RSSI = const(-128)


class SerialLink:
    # `line` has readinto(view) and write(data), which process what is possible at once and return
    # its count, and open(), close() and name; `random` returns 0..1.

    def __init__(self, session, line, random):
        # As in ugs.link.broker; there is no radio to switch off.
        self.is_shut = False
        self.burst = None
        self._session = session
        self._line = line
        self._random = random
        self._topic = session.up_topic.encode()
        self._reader = frames.FrameReader(self._on_frame)
        self._out = b""
        self._keys = None
        self._received_ms = self._written_ms = 0
        self._ask_ms = _ASK_MS_MIN
        self._wait_ms = 0

    def rssi_dbm(self):
        return _NO_RSSI

    def is_hopeless(self):
        return False

    async def run(self):
        session = self._session
        self._line.open()
        self._begin(session.uptime_ms())
        try:
            while True:
                session.alive()
                count = self._reader.read(self._line)
                now_ms = session.uptime_ms()
                self._watch(now_ms)
                is_busy = self._send(now_ms) or count
                await asyncio.sleep_ms(0 if is_busy else _POLL_MS)
        except KeyboardInterrupt:
            self._line.close()
            note("link ends cause=break")
            raise

    def _begin(self, now_ms):
        self._received_ms = self._written_ms = now_ms
        self._out = b""
        self._keys = self._session.keys
        self._session.is_answered = False
        self._session.start_connection()
        self._wait_ms = int(self._ask_ms * (0.5 + self._random()))
        self._ask_ms = min(2 * self._ask_ms, _ASK_MS_MAX)

    def _on_frame(self, topic, message):
        session = self._session
        was_answered = session.is_answered
        if session.receive(topic, message):
            self._received_ms = session.uptime_ms()
        if session.is_answered and not was_answered:
            session.connects += 1
            self._ask_ms = _ASK_MS_MIN
            self._wait_ms = _SILENCE_MS
            note("link up line=%s" % self._line.name)

    def _watch(self, now_ms):
        if self._keys is not self._session.keys:
            self._begin(now_ms)
        if now_ms - self._received_ms < self._wait_ms:
            return
        if self._session.is_answered:
            self._fail("silence")
        self._begin(now_ms)

    def _fail(self, cause):
        self._session.failures += 1
        note("link failed cause=%s" % cause)

    def _send(self, now_ms):
        # Whether bytes were sent.
        if not self._out:
            message = self._session.take(now_ms)
            if message is None:
                return False
            self._out = memoryview(frames.encode(self._topic, message))
            self._written_ms = now_ms
        sent = self._line.write(self._out)
        if sent:
            self._out = self._out[sent:]
            self._written_ms = now_ms
        elif now_ms - self._written_ms >= _STALL_MS:
            self._fail("stalled")
            self._begin(now_ms)
        return bool(sent)
