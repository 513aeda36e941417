# SPDX-License-Identifier: MIT
"""Service: confirmed cues to one device, one at a time; what it reports goes to the cue machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gateway.model.actions.cue import Cue, CueReport, CueState
from gateway.ports.connector import CueDevice
from gateway.ports.problems import failure_text

_LOG = logging.getLogger(__name__)
MAX_WAITING = 16
MAX_PERFORM_S = 3600.0
STOP_S = 1.0  # a device has so long to stop
_BY_DEVICE = frozenset({CueState.SENT, CueState.EXECUTING, CueState.DONE, CueState.FAILED})
_SEEN_KEPT = 256


class CueRunner:
    """Of one device. Nothing is performed that is not confirmed, or has expired meanwhile."""

    def __init__(
        self,
        name: str,
        device: CueDevice,
        report: Callable[[CueReport], None],
        clock_us: Callable[[], int],
    ) -> None:
        self.name = name
        self._device = device
        self._report = report
        self._clock_us = clock_us
        self._waiting: dict[int, Cue] = {}
        self._seen: dict[int, None] = {}
        self._arrived = asyncio.Event()
        self._current: tuple[int, asyncio.Task[None]] | None = None

    @property
    def waiting(self) -> int:
        """Cues that are not started."""
        return len(self._waiting)

    def on_cue(self, cue: Cue) -> None:
        """A cue of this device after a change. The same confirmed cue again changes nothing."""
        if cue.state is CueState.CONFIRMED:
            self._submit(cue)
        elif cue.state.final:
            self._waiting.pop(cue.id, None)
            if self._current is not None and self._current[0] == cue.id:
                self._current[1].cancel()

    async def run(self) -> None:
        """Until cancelled; a device that moves is stopped then."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            cue = self._waiting.pop(next(iter(self._waiting)))
            if self._clock_us() < cue.expires_us:
                await self._perform(cue)

    def _submit(self, cue: Cue) -> None:
        if cue.id in self._seen:
            return
        self._seen[cue.id] = None
        if len(self._seen) > _SEEN_KEPT:
            del self._seen[next(iter(self._seen))]
        if len(self._waiting) >= MAX_WAITING:
            self._report(CueReport(cue.id, CueState.FAILED, "too many cues wait for the device"))
            return
        self._waiting[cue.id] = cue
        self._arrived.set()

    async def _perform(self, cue: Cue) -> None:
        is_over = False

        def report(state: CueState, problem: str = "") -> None:
            nonlocal is_over
            if is_over or state not in _BY_DEVICE:
                return
            is_over = state.final
            self._report(CueReport(cue.id, state, problem))

        task = asyncio.create_task(
            self._device.perform(cue, report), name=f"cue {cue.id} of {self.name}"
        )
        self._current = cue.id, task
        try:
            done, _pending = await asyncio.wait({task}, timeout=MAX_PERFORM_S)
            if not done:
                report(CueState.FAILED, "it did not end within an hour")
        finally:
            self._current = None
            task.cancel()
            _done, pending = await asyncio.wait({task}, timeout=STOP_S)
            if pending:
                _LOG.error("the device %s does not stop", self.name)
        if task.cancelled() or not task.done():
            is_over = True  # withdrawn: what it reports now counts no more
        elif (error := task.exception()) is not None:
            _LOG.error("device %s: %s", self.name, type(error).__name__)
            report(CueState.FAILED, failure_text(error))
        else:
            report(CueState.FAILED, "the device reported no end")
