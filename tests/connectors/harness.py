# SPDX-License-Identifier: MIT
"""What a connector brings to the conformance suite, and the register of its points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gateway.ports.connector import ConnectorType
from tests.connectors.running import Running, eventually, running

SINK, SOURCE, ACTS, NOTIFIER, CUE = "sink", "source", "acts", "notifier", "cue device"
ROLES = (SINK, SOURCE, ACTS, NOTIFIER, CUE)


class Shown(NamedTuple):
    """What the far side shows of one thing: as text, its error radius and its moment (UTC us)."""

    text: str
    error_m: float | None
    at_us: int | None


class Harness(ABC):
    """One connector and its far side. What a role does not need stays as it is here."""

    kind: ConnectorType
    roles: frozenset[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def table(self) -> dict[str, Any]:
        """The `[[connector]]` table."""

    @abstractmethod
    def far_side(self) -> AbstractAsyncContextManager[None]:
        """The other system, running."""

    @abstractmethod
    async def cut(self) -> None:
        """The other system is gone, at once."""

    @abstractmethod
    async def mend(self) -> None:
        """It is back; it may have forgotten everything."""

    async def shown(self, kind: str, name: str) -> Shown | None:
        """Sink: what a reader that comes now sees of it; None: nothing."""
        raise NotImplementedError

    async def names_shown(self, kind: str) -> list[str]:
        """Sink: the ids that a reader that comes now sees, each as often as it is there."""
        raise NotImplementedError

    async def send(self, count: int) -> None:
        """Source, acts: so many valid observations or commands."""
        raise NotImplementedError

    async def send_hostile(self) -> int:
        """Source, acts: malformed, forged, absurd; how many are to be counted."""
        raise NotImplementedError

    def delivered(self) -> list[str]:
        """Notifier: the text of what arrived there."""
        raise NotImplementedError

    def moves(self) -> list[str]:
        """Cue device: what the device was asked to do."""
        raise NotImplementedError

    async def jam(self) -> None:
        """Cue device: it cannot move from now on."""
        raise NotImplementedError

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Running]:
        """The connector beside its far side, without a picture yet."""
        async with self.far_side(), running(self.kind, self.table(), self.folder) as made:
            yield made

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Running]:
        """The same with the picture of a site, and in touch with the far side."""
        async with self.run() as made:
            made.put_site()
            if self.roles & {SINK, SOURCE, ACTS}:
                await eventually(lambda: made.status.state == "connected")
            yield made


Point = Callable[[Harness], Awaitable[None]]
POINTS: dict[str, tuple[frozenset[str], Point]] = {}


def point(title: str, *roles: str) -> Callable[[Point], Point]:
    """Registers a point for connectors that have one of these roles; its docstring describes it."""

    def register(check: Point) -> Point:
        POINTS[title] = (frozenset(roles), check)
        return check

    return register


def applies(title: str, roles: frozenset[str]) -> bool:
    """Whether a connector of these roles owes it."""
    return bool(POINTS[title][0] & roles)


def table_of_points(harnesses: dict[str, frozenset[str]]) -> str:
    """Markdown: point by connector; a dash where its roles do not owe the point."""
    names = list(harnesses)
    lines = [f"| Point | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for title in POINTS:
        cells = ["yes" if applies(title, harnesses[name]) else "-" for name in names]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)
