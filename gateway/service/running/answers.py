# SPDX-License-Identifier: MIT
"""Service: receipts and the time, collected per node: one message answers a burst."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.faults import Faults
from gateway.intake.authentication.boots import on_wire
from gateway.ports.link import Clock
from gateway.wire.messages import DownMessage, Receipt, Time

INTERVAL_S = 0.2
_BOOTS_PER_MESSAGE = 8  # the schema's 16 numbers


class AnswerSender:
    """Answers a node at once, then at most every `INTERVAL_S`, however much the node sends."""

    def __init__(
        self,
        upto: Callable[[str, int], int],
        clock: Clock,
        send: Callable[[str, DownMessage], None],
        faults: Faults,
    ) -> None:
        self._upto = upto
        self._clock = clock
        self._send = send
        self._faults = faults
        self._receipts: dict[str, set[int]] = {}
        self._times: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def owe_receipt(self, node: str, boot: int) -> None:
        """Messages of that boot are committed (or were before: the node asks again)."""
        self._receipts.setdefault(node, set()).add(boot)
        if node not in self._timers:
            self._answer(node)

    def owe_time(self, node: str, t_ms: int) -> None:
        """The node asked at its uptime `t_ms`; this replaces its older request."""
        self._times[node] = t_ms
        if node not in self._timers:
            self._answer(node)

    def close(self) -> None:
        """Stop the timers; nodes request again what was not answered."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _answer(self, node: str) -> None:
        self._timers.pop(node, None)
        boots = sorted(self._receipts.pop(node, ()))
        asked_ms = self._times.pop(node, None)
        if not boots and asked_ms is None:
            return
        loop = asyncio.get_running_loop()
        self._timers[node] = loop.call_later(INTERVAL_S, self._answer, node)
        with self._faults.guard("an answer"):
            self._send_to(node, boots, asked_ms)

    def _send_to(self, node: str, boots: Sequence[int], asked_ms: int | None) -> None:
        pairs = [(on_wire(boot), upto) for boot in boots if (upto := self._upto(node, boot))]
        for start in range(0, len(pairs), _BOOTS_PER_MESSAGE):
            some = pairs[start : start + _BOOTS_PER_MESSAGE]
            self._send(node, Receipt(upto=tuple(number for pair in some for number in pair)))
        if asked_ms is not None:
            self._send(node, Time(utc_ms=self._clock() // 1000, echo_ms=asked_ms))
