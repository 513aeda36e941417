# SPDX-License-Identifier: MIT
"""Alarms as the desk tells them, and a courier's record of what became of deliveries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config.connectors import connector_tables
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.target import TargetClass
from gateway.outputs.config import OutputConfig, read_outputs
from gateway.outputs.courier import Courier, Patience
from gateway.outputs.desk import way_of
from gateway.outputs.outbox import Delivery, Outbox, Status

T0 = 1_790_000_000_000_000
S = 1_000_000
QUICK = Patience(first_s=0.02, most_s=0.05, attempts=4, timeout_s=20)
HASTY = Patience(first_s=0.02, most_s=0.05, attempts=4, timeout_s=0.3)


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


def read(folder: Path, **values: Any) -> OutputConfig:
    """One [[output]] as the configuration reads it."""
    tables = connector_tables([], [{"name": "phone", **values}])
    outputs, _assistant = read_outputs(tables, folder, "gateway.toml")
    return outputs[0]


def secret(folder: Path, text: str, name: str = "secret.key") -> str:
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return name


@dataclass
class Told:
    """An outbox and a courier for one output, stepped by hand or run."""

    config: OutputConfig
    patience: Patience = QUICK
    settled: list[tuple[int, Status, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = Outbox("yard", [self.config.channel])
        self.courier = Courier(
            "phone",
            way_of(self.config),
            self.outbox.pending.__contains__,
            self.settle,
            self.patience,
            random.Random(1),
            lambda: T0,
        )

    def settle(self, number: int, status: Status, attempts: int, problem: str) -> None:
        self.settled.append((number, status, attempts, problem))
        self.outbox.settle(T0 + S, number, status, attempts, problem)

    def offer(self, *changes: AlarmChange, now_us: int = T0) -> list[Delivery]:
        fresh = self.outbox.offer(changes, now_us)
        self.courier.take(fresh)
        return fresh
