# SPDX-License-Identifier: MIT
"""One connector as the gateway runs it: real supervisor, picture and outbox; records what comes."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.config.reading import convert
from gateway.model.actions.acts import Act
from gateway.model.actions.cue import CueReport, ProposeCue
from gateway.model.alarm import Alarm, AlarmKind
from gateway.model.observation import FromConnector
from gateway.model.place.geodesy import Origin
from gateway.model.place.site import Node, Sector, Site
from gateway.model.target import TargetClass
from gateway.model.view import NodeView, SectorView, place_node, place_sector, view_alarm, view_site
from gateway.outbox.outbox import Outbox, Status
from gateway.outbox.worker import RetryPolicy
from gateway.ports.connector import ConnectorType
from gateway.ports.connector import Status as ConnectorStatus
from gateway.ports.picture import Picture
from gateway.service.connectors import ConnectorService, channels_of
from tests.connectors.made import now_us

SITE = Site(
    "yard",
    {
        "n01": Node("n01", 0.0, 0.0, "west"),
        "n02": Node("n02", 25.0, 0.0, "west"),
        "n03": Node("n03", 50.0, 0.0, "east"),
    },
    {"west": Sector("west"), "east": Sector("east")},
    origin=Origin(52.0, 13.0),
)
QUICK = RetryPolicy(first_s=0.02, max_s=0.2, attempts=200, timeout_s=5)
ERROR_M = 12.5


class Running:
    """`observations`, `acts` and `cue_reports` are what the gateway was given. Clearing `is_open`
    makes intake wait; `act_done` is what acts answer."""

    def __init__(self, kind: ConnectorType, table: dict[str, Any], folder: Path) -> None:
        self.name = str(table["name"])
        self.picture = Picture()
        self.observations: list[FromConnector] = []
        self.acts: list[Act | ProposeCue] = []
        self.cue_reports: list[CueReport] = []
        self.settled: list[tuple[int, Status, int, str]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.act_done = True
        self.config = convert(table, kind.config, "gateway.toml", folder)
        self.outbox = Outbox(SITE.name, channels_of([self.config]))
        self.service = ConnectorService(
            SITE,
            self.picture,
            self.outbox,
            take=self._take,
            act=self._act,
            settle=self._settle,
            report_cue=self.cue_reports.append,
            clock_us=now_us,
            rng=random.Random(1),
            retry=QUICK,
            wait_s=(0.05, 0.2),
        )
        self.service.apply(self.service.prepare([(kind, self.config)]))

    @property
    def status(self) -> ConnectorStatus:
        return self.service.status_of(self.name)

    def put_site(self) -> None:
        """The whole picture of a site with one alarm."""
        self.picture.put("site", SITE.name, view_site(SITE))
        for sector in SITE.sectors:
            self.put_sector(sector)
        for node in SITE.nodes:
            self.put_node(node)
        self.put_alarm(7)

    def put_sector(self, name: str) -> None:
        view = SectorView(
            **place_sector(SITE, SITE.sectors[name]),
            at_us=now_us(),
            armed=True,
            schedule="",
            by="",
            reason="",
            until_us=None,
            masked=False,
        )
        self.picture.put("sector", name, view)

    def put_node(self, name: str, **values: Any) -> None:
        fields = {"at_us": now_us(), "state": "normal", "battery_mv": 3700, "rssi_dbm": -60}
        view = NodeView(**place_node(SITE, SITE.nodes[name]), **{**fields, **values})
        self.picture.put("node", name, view)

    def put_alarm(self, number: int, **values: Any) -> None:
        alarm = Alarm(
            **{
                "id": number,
                "kind": AlarmKind.INTRUSION,
                "key": f"e{number}",
                "priority": 1,
                "raised_us": now_us() - 1_000_000 + number,
                "changed_us": now_us(),
                "active": True,
                "acknowledged": False,
                "nodes": ("n01", "n02"),
                "sectors": ("west",),
                "reasons": ("two nodes agree",),
                "target": TargetClass.PERSON,
                "confidence": 0.9,
                "x_m": 10.0,
                "y_m": 5.0,
                **values,
            }
        )
        self.picture.put("alarm", str(number), view_alarm(SITE, alarm, ERROR_M))

    async def _take(self, some: Sequence[FromConnector]) -> None:
        await self.is_open.wait()
        self.observations += some

    async def _act(self, act: Act | ProposeCue) -> bool:
        await self.is_open.wait()
        self.acts.append(act)
        return self.act_done

    def _settle(self, number: int, status: Status, attempts: int, text: str) -> None:
        self.settled.append((number, status, attempts, text))
        self.outbox.settle(now_us(), number, status, attempts, text)


@asynccontextmanager
async def running(
    kind: ConnectorType, table: dict[str, Any], folder: Path
) -> AsyncIterator[Running]:
    """Ends it as the gateway does, by cancelling."""
    made = Running(kind, table, folder)
    task = asyncio.create_task(made.service.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(
    holds: Callable[[], Awaitable[Any]] | Callable[[], Any], seconds: float = 15.0
) -> Any:
    """Until it is true what another process, thread or task brings about; its value."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
