# SPDX-License-Identifier: MIT
"""Service: where a commit runs, in the event loop or in a thread.

With a fast disk it runs in the event loop: the round trip to a thread costs about as much as the
commit, and delays all that has arrived meanwhile. After a slow commit, and for a store on a network
and long work, it runs in a thread, so that links and console go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from gateway.store.interface import LeftOut, Store, Writes

QUICK_S = 0.01  # a longer commit delays what waits behind it
WARY_S = 10.0  # so long after a slow or failed commit, none runs in the loop
FEW = 64  # messages of a commit that takes no longer than its disk

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Committer:
    """Lends the store to one caller at a time; `on_committed` is called where it was committed."""

    def __init__(
        self,
        store: Store,
        on_committed: Callable[[Writes], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._on_committed = on_committed
        self._clock = clock
        self._executor = ThreadPoolExecutor(1, "store")
        self._calls: list[Future[Any]] = []
        self._wary_until_s = 0.0

    async def commit(self, writes: Writes) -> None:
        """All of it is durable when this returns. Raises StoreError."""
        await asyncio.sleep(0)  # what is on its way to nodes goes first, and links are looked at
        started_s = self._clock()
        quick = False  # unless it comes to its end, in time for its size
        try:
            if self._may_wait(writes, started_s):
                self._keep(writes)
            else:
                await self.call(self._keep, writes)
            share = max(1, len(writes.messages) / FEW)
            quick = self._clock() - started_s < QUICK_S * share
        finally:
            if not quick:
                self._wary_until_s = self._clock() + WARY_S

    async def commit_what_fits(self, writes: Writes) -> list[LeftOut]:
        """The same without the rows that the store does not accept. Raises StoreError."""
        return await self.call(self._keep_what_fits, writes)

    async def call(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Something of the store that may take long, in its thread."""
        # The caller may give up; the thread goes on, and holds the store until it is done.
        self._calls = [call for call in self._calls if not call.done()]
        call = self._executor.submit(work, *args, **kwargs)
        self._calls.append(call)
        return await asyncio.wrap_future(call)

    def close(self) -> None:
        """After the last call."""
        self._executor.shutdown()

    def _may_wait(self, writes: Writes, now_s: float) -> bool:
        return (
            self._store.on_this_machine
            and all(call.done() for call in self._calls)
            and now_s >= self._wary_until_s
            and len(writes.messages) <= FEW
            and not writes.checkpoints  # a file more to write
        )

    def _keep(self, writes: Writes) -> None:
        self._store.commit(writes)
        self._on_committed(writes)

    def _keep_what_fits(self, writes: Writes) -> list[LeftOut]:
        left_out = self._store.commit_what_fits(writes)
        self._on_committed(writes)
        return left_out
