# SPDX-License-Identifier: MIT
"""Alarm changes, and an outbox with the delivery worker of one notifier, run or stepped by hand."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config.notify import NotifierConfig
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.target import TargetClass
from gateway.outbox.outbox import Delivery, Outbox, Status
from gateway.outbox.worker import DeliveryWorker, RetryPolicy
from gateway.ports.connector import Notifier
from gateway.ports.connector import Status as ConnectorStatus
from gateway.service.connectors import channels_of
from tests.connectors.made import make, read

T0 = 1_790_000_000_000_000
S = 1_000_000
QUICK = RetryPolicy(first_s=0.02, max_s=0.05, attempts=4, timeout_s=20)
HASTY = RetryPolicy(first_s=0.02, max_s=0.05, attempts=4, timeout_s=0.3)


def changed(number: int = 1, change: Change = Change.RAISED, **values: Any) -> AlarmChange:
    alarm = Alarm(
        **{
            "id": number,
            "kind": AlarmKind.INTRUSION,
            "key": f"e{number}",
            "priority": 1,
            "raised_us": T0,
            "changed_us": T0,
            "active": True,
            "acknowledged": False,
            "nodes": ("n01", "n02"),
            "sectors": ("west",),
            "reasons": ("two nodes agree",),
            "target": TargetClass.PERSON,
            "confidence": 0.9,
            **values,
        }
    )
    return AlarmChange(change, alarm, T0)


def secret(folder: Path, text: str, name: str = "secret.key") -> str:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return name


@dataclass
class Deliveries:
    """`settled`: (delivery, result, attempts, receipt or problem) in order."""

    config: NotifierConfig
    retry: RetryPolicy = QUICK
    settled: list[tuple[int, Status, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = self.config
        self.status = ConnectorStatus()
        self.outbox = Outbox("yard", channels_of([config]))
        notifier = make(config)
        assert isinstance(notifier, Notifier)
        self.worker = DeliveryWorker(
            config.name,
            notifier,
            self.outbox.pending.__contains__,
            self.settle,
            self.status,
            self.retry,
            random.Random(1),
            lambda: T0,
        )

    def settle(self, number: int, status: Status, attempts: int, text: str) -> None:
        self.settled.append((number, status, attempts, text))
        self.outbox.settle(T0 + S, number, status, attempts, text)

    def offer(self, *changes: AlarmChange, now_us: int = T0) -> list[Delivery]:
        fresh = self.outbox.offer(changes, now_us)
        self.worker.take(fresh)
        return fresh


def deliveries(folder: Path, retry: RetryPolicy = QUICK, **values: Any) -> Deliveries:
    """Of one notifier as its `[[connector]]` table configures it."""
    config = read(folder, **values)
    assert isinstance(config, NotifierConfig)
    return Deliveries(config, retry)


@asynccontextmanager
async def delivering(made: Deliveries) -> AsyncIterator[Deliveries]:
    running = asyncio.create_task(made.worker.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
