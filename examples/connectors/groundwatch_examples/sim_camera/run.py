# SPDX-License-Identifier: MIT
"""Connectors, sim_camera: the conversation with the camera about one cue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.model.actions.cue import Cue, CueState
from gateway.ports.connector import Context
from groundwatch_examples.sim_camera.config import SimCameraConfig
from groundwatch_examples.sim_camera.translate import STATES, STOP, Answer, command, parse

_MAX_ANSWERS = 16


class SimCamera:
    """Moves only in `perform`, which gets confirmed cues only."""

    def __init__(self, config: SimCameraConfig) -> None:
        self._config = config

    @classmethod
    def make(cls, config: SimCameraConfig, _context: Context) -> SimCamera:
        """No I/O here."""
        return cls(config)

    async def perform(self, cue: Cue, report: Callable[[CueState, str], None]) -> None:
        """Sent, executing, done or failed. Cancelled: the camera is stopped. Raises OSError."""
        config = self._config
        answers: asyncio.Queue[Answer] = asyncio.Queue(_MAX_ANSWERS)
        transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answers(answers), remote_addr=(config.host, config.port)
        )
        state = CueState.CONFIRMED
        try:
            transport.sendto(command(cue, config.x_m, config.y_m))
            report(CueState.SENT, "")
            while not state.final:
                try:
                    async with asyncio.timeout(config.answer_s):
                        answer = await answers.get()
                except TimeoutError:
                    report(CueState.FAILED, "the camera does not answer")
                    return
                if answer.cue == cue.id:
                    state = STATES[answer.state]
                    report(state, "it is jammed" if state is CueState.FAILED else "")
        finally:
            if not state.final:
                transport.sendto(STOP)
            transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answers: asyncio.Queue[Answer]) -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, _address: object) -> None:
        """What is no answer, and what finds the queue full, is dropped: the timeout decides."""
        try:
            answer = parse(data)
        except ValueError:
            return
        if not self._answers.full():
            self._answers.put_nowait(answer)
