# SPDX-License-Identifier: MIT
"""The door: how the store is waited for.

A disk that is quick is waited for in the event loop: to hand a commit to a thread and to hear of
it costs about as much as the commit, and all that has come meanwhile waits for both. A disk that
was slow, a store on a network and whatever takes long have a thread of their own, so that links and
console go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from gateway.store.interface import Store, Writes

QUICK_S = 0.01  # longer than this is felt by who waits behind it
WARY_S = 10.0  # so long after a commit that was not quick, or none, none is waited for in the loop
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
        began_s = self._clock()
        quick = False  # unless it comes to its end, in time for its size
        try:
            if self._may_wait(writes, began_s):
                self._keep(writes)
            else:
                await self.call(self._keep, writes)
            share = max(1, len(writes.messages) / FEW)
            quick = self._clock() - began_s < QUICK_S * share
        finally:
            if not quick:
                self._wary_until_s = self._clock() + WARY_S

    async def call(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Something of the store that may take long, in its thread."""
        # Who waits may give up; the thread goes on, and has the store until it is through.
        self._calls = [call for call in self._calls if not call.done()]
        call = self._executor.submit(work, *args, **kwargs)
        self._calls.append(call)
        return await asyncio.wrap_future(call)

    def close(self) -> None:
        """When nobody calls any more."""
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
