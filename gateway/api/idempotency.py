# SPDX-License-Identifier: MIT
"""API: idempotency keys: the same key of the same person gives the same answer and acts once.

Semantics of draft-ietf-httpapi-idempotency-key-header. An act that is still under way is joined,
not repeated: a client that gave up waiting and asks again gets the answer of its first request.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from gateway.api.call import ApiError

MAX_KEYS = 4096  # the oldest answers are forgotten first
MAX_OPEN = 256  # acts under way
AGAIN_S = 60.0  # a person who was asked to try again does so within this time
ACT_S = 5.0  # a browser has six connections: none may wait for a full disk


class Reply(NamedTuple):
    """An answer as it is sent. `replayed`: it was made for an earlier request with the same key."""

    status: int
    body: msgspec.Struct
    replayed: bool = False


_Task = asyncio.Task[Reply]


class _Kept(NamedTuple):
    digest: bytes
    task: _Task


class Answers:
    """Answers by (person, key)."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._open: set[asyncio.Task[Reply]] = set()
        # By person and request: acts whose answer was "try again", and when that was.
        self._unanswered: OrderedDict[tuple[str, bytes], tuple[_Task, float]] = OrderedDict()

    async def once(
        self,
        who: str,
        key: str,
        request: bytes,
        act: Callable[[], Awaitable[Reply]],
        wait_s: float = ACT_S,
    ) -> Reply:
        """The answer of `act`, or of the earlier request with this key. Raises ApiError."""
        digest = hashlib.sha256(request).digest()
        name = (who, key)
        kept = self._kept.get(name) if key else None
        if kept is not None and kept.digest != digest:
            raise ApiError(422, "this Idempotency-Key was used for another request")
        if kept is not None:
            return (await self._result(kept, who, wait_s))._replace(replayed=True)
        # A person who tries again presses a button once more: the same request with another key.
        earlier = self._take_unanswered(who, digest)
        kept = _Kept(digest, earlier or self._begin(act))
        if key:
            self._keep(name, kept)
        reply = await self._result(kept, who, wait_s)
        return reply._replace(replayed=True) if earlier else reply

    def _take_unanswered(self, who: str, digest: bytes) -> _Task | None:
        """The act of the same request, if its person was asked to try again a moment ago."""
        task, at_s = self._unanswered.pop((who, digest), (None, 0.0))
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            return None  # it has not acted
        late = asyncio.get_running_loop().time() - at_s > AGAIN_S
        return None if task.done() and late else task

    def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._open:
            task.cancel()

    def _begin(self, act: Callable[[], Awaitable[Reply]]) -> asyncio.Task[Reply]:
        if len(self._open) >= MAX_OPEN:
            raise ApiError(503, "too many acts wait to be stored: try again")

        async def run() -> Reply:
            return await act()

        task = asyncio.create_task(run(), name="api act")
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    def _keep(self, name: tuple[str, str], kept: _Kept) -> None:
        self._kept[name] = kept
        kept.task.add_done_callback(lambda task: self._ended(name, task))
        while len(self._kept) > MAX_KEYS:
            self._kept.popitem(last=False)

    def _ended(self, name: tuple[str, str], task: asyncio.Task[Reply]) -> None:
        """What raised has not acted, so the same key may try again."""
        kept = self._kept.get(name)
        if kept is not None and kept.task is task and (task.cancelled() or task.exception()):
            del self._kept[name]

    async def _result(self, kept: _Kept, who: str, wait_s: float) -> Reply:
        try:
            async with asyncio.timeout(wait_s):
                return await asyncio.shield(kept.task)
        except TimeoutError:
            now_s = asyncio.get_running_loop().time()
            self._unanswered[who, kept.digest] = kept.task, now_s
            if len(self._unanswered) > MAX_OPEN:
                self._unanswered.popitem(last=False)
            problem = "not stored yet: the store does not answer; try again"
            raise ApiError(503, problem) from None
