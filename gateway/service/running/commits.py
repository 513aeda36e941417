# SPDX-License-Identifier: MIT
"""Service: rows of both stages on their way to the store, in one order and one commit at a time.

While the store fails, rows wait and commits are tried again; nothing is acknowledged and no receipt
goes out, so nodes keep what they have.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.errors import RowError, StoreError
from gateway.intake.taken import Promise
from gateway.service.running.committer import Committer
from gateway.service.stages import Stages
from gateway.store.interface import Writes

_LOG = logging.getLogger(__name__)
RETRY_S = 0.5


class Commits:
    """`problem` is why the store accepts nothing now; empty while it does."""

    def __init__(self, stages: Stages, committer: Committer, clock_us: Callable[[], int]) -> None:
        self.problem = ""
        self.failures = 0
        self.made = 0
        self._stages = stages
        self._committer = committer
        self._clock_us = clock_us
        self._pending = Writes()
        self._under_way = 0  # messages of the commit that is being tried
        self._promise = Promise({}, {})
        self._one = asyncio.Lock()
        self._tried_s = float("-inf")

    @property
    def unstored(self) -> int:
        """Messages that are not committed."""
        return len(self._pending.messages) + self._under_way

    async def commit(self, everything: bool = False) -> bool:
        """True when all that both stages have gathered so far is durable.

        A store that fails is asked again every `RETRY_S` at most.
        """
        self._gather(everything)
        async with self._one:
            if not self._pending:
                return not self.problem
            loop = asyncio.get_running_loop()
            if self.problem and not everything and loop.time() - self._tried_s < RETRY_S:
                return False
            self._tried_s = loop.time()
            return await self._commit()

    async def _commit(self) -> bool:
        writes, self._pending = self._pending, Writes()
        promise, self._promise = self._promise, Promise({}, {})
        self._under_way = len(writes.messages)
        try:
            await self._keep(writes)
        except BaseException as error:
            writes.absorb(self._pending)
            self._pending = writes
            self._promise = Promise(
                promise.upto | self._promise.upto, promise.reserved | self._promise.reserved
            )
            if not isinstance(error, StoreError):
                raise
            self.failures += 1
            if not self.problem:
                _LOG.error("cannot store: receipts stop, nodes keep their messages: %s", error)
            self.problem = str(error)
            return False
        finally:
            self._under_way = 0
        if self.problem:
            _LOG.warning("store works again rows=%d", len(writes.messages))
        self.problem = ""
        self.made += 1
        self._stages.intake.committed(promise)
        return True

    async def _keep(self, writes: Writes) -> None:
        """Raises StoreError. A row that the store does not accept must not keep the others out."""
        try:
            await self._committer.commit(writes)
            return
        except RowError as error:
            _LOG.error("a row is not accepted: %s", error)
        except StoreError:
            raise
        except Exception as problem:
            self._stages.faults.report("a commit", problem)
        try:
            for left_out in await self._committer.commit_what_fits(writes):
                self._stages.left_out(self._clock_us(), left_out)
        except StoreError:
            raise
        except Exception as problem:
            raise StoreError(f"the store fails by a fault of our own: {problem!r}") from problem

    def _gather(self, everything: bool) -> None:
        self._pending.absorb(self._stages.take_writes(self._clock_us(), everything))
        promise = self._stages.intake.take_promise()
        self._promise.upto.update(promise.upto)
        self._promise.reserved.update(promise.reserved)
