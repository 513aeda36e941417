# SPDX-License-Identifier: MIT
"""Cues in a running gateway: nothing moves before people confirmed it; all of it is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.app import Gateway
from gateway.config import GatewayConfig, load_config
from gateway.model import view
from gateway.model.actions.cue import (
    ConfirmCue,
    Cue,
    CueKind,
    CueState,
    EndCuePolicy,
    ProposeCue,
    SetCuePolicy,
    WithdrawCue,
)
from gateway.monitor.replay import replay
from gateway.ports.connector import ConnectorConfig, ConnectorType, Context
from gateway.store.sqlite import reading
from tests.gateway.played_node import until, write_config

HOUR_US = 3_600_000_000


@dataclass
class Mast:
    """A device that looks and flies: it moves until it is let go."""

    moved: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    arrive: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, cue: Cue, report: Callable[[CueState, str], None]) -> None:
        report(CueState.SENT, "")
        self.moved.append(cue.id)
        report(CueState.EXECUTING, "")
        try:
            await self.arrive.wait()
        except asyncio.CancelledError:
            self.stopped.append(cue.id)
            raise
        report(CueState.DONE, "")


def with_mast(folder: Path, mast: Mast) -> GatewayConfig:
    def make(_config: ConnectorConfig, _context: Context) -> Mast:
        return mast

    kinds = frozenset({CueKind.LOOK, CueKind.FLY})
    kind = ConnectorType("mast", ConnectorConfig, make, "a mast", cues=kinds)
    config = load_config(write_config(folder, 'kind = "embedded"\nport = 0'))
    return replace(config, connectors=((kind, ConnectorConfig(kind="mast", name="mast1")),))


def look(by: str = "eva", kind: CueKind = CueKind.LOOK, sector: str = "") -> ProposeCue:
    return ProposeCue(by, "mast1", kind, 20.0, 5.0, 8.0, HOUR_US // 12, sector)


def state_of(gateway: Gateway, number: int) -> CueState | None:
    shown: view.CueView | None = gateway.facade.picture.get(view.CUE, str(number))
    return shown.state if shown is not None else None


async def test_cue_look_is_performed_once_a_person_confirmed_it(tmp_path: Path) -> None:
    mast = Mast()
    async with Gateway(with_mast(tmp_path, mast)) as gateway:
        act = gateway.service.act
        assert (await act(look())).done
        await until(lambda: state_of(gateway, 1) is CueState.PROPOSED)
        assert mast.moved == []
        for other in ("connector:radar1", "token bot", "system"):
            assert not (await act(ConfirmCue(1, other))).done
        assert (await act(ConfirmCue(1, "tom"))).done
        await until(lambda: state_of(gateway, 1) is CueState.EXECUTING)
        mast.arrive.set()
        await until(lambda: state_of(gateway, 1) is CueState.DONE)
        assert mast.moved == [1]
    with reading(tmp_path / "data" / "groundwatch.db") as db:
        rows = db.run("SELECT action, actor FROM audit WHERE action LIKE 'cue.%' ORDER BY id")
    assert rows == [
        ("cue.proposed", "eva"),
        ("cue.confirmed", "tom"),
        ("cue.sent", "mast1"),
        ("cue.executing", "mast1"),
        ("cue.done", "mast1"),
    ]


async def test_cue_flight_needs_two_distinct_people_each_time(tmp_path: Path) -> None:
    mast = Mast()
    async with Gateway(with_mast(tmp_path, mast)) as gateway:
        act = gateway.service.act
        assert (await act(look(kind=CueKind.FLY))).done
        assert (await act(ConfirmCue(1, "eva"))).done
        again = await act(ConfirmCue(1, "Eva"))
        assert (again.done, "another must" in again.problem) == (False, True)
        assert mast.moved == []
        assert (await act(ConfirmCue(1, "tom"))).done
        await until(lambda: mast.moved == [1])
        assert (await act(WithdrawCue(1, "eva", "seen enough"))).done
        await until(lambda: mast.stopped == [1])
        await until(lambda: state_of(gateway, 1) is CueState.WITHDRAWN)


async def test_cue_policy_of_a_supervisor_confirms_looks_until_it_ends(tmp_path: Path) -> None:
    mast = Mast()
    mast.arrive.set()
    async with Gateway(with_mast(tmp_path, mast)) as gateway:
        act, now_us = gateway.service.act, gateway.facade.clock_us()
        assert (await act(SetCuePolicy("eva", "west", "mast1", "night", now_us + HOUR_US))).done
        assert (await act(look("connector:radar1", sector="west"))).done
        await until(lambda: state_of(gateway, 2) is CueState.DONE)
        assert (await act(look("connector:radar1", CueKind.FLY, "west"))).done
        assert (await act(EndCuePolicy(1, "eva", "morning"))).done
        assert (await act(look("connector:radar1", sector="west"))).done
        await until(lambda: state_of(gateway, 4) is CueState.PROPOSED)
        assert mast.moved == [2]


async def test_cue_under_way_at_a_restart_has_failed_and_is_not_performed_again(
    tmp_path: Path,
) -> None:
    first, second = Mast(), Mast()
    async with Gateway(with_mast(tmp_path, first)) as gateway:
        await gateway.service.act(look())
        await gateway.service.act(ConfirmCue(1, "tom"))
        await until(lambda: state_of(gateway, 1) is CueState.EXECUTING)
        await gateway.service.act(look())
    async with Gateway(with_mast(tmp_path, second)) as gateway:
        await until(lambda: state_of(gateway, 1) is CueState.FAILED)
        assert list(gateway.service.stages.monitor.state.cues.open) == [2]
        assert (await gateway.service.act(ConfirmCue(2, "tom"))).done
        await until(lambda: second.moved == [2])
        policy = gateway.service.stages.policy
    with reading(tmp_path / "data" / "groundwatch.db") as db:
        assert all(verdict.identical for verdict in replay(db, policy))
