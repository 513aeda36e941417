# SPDX-License-Identifier: MIT
"""The supervisor: whatever a connector does, the gateway goes on, and it is shown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.model.actions.acts import Acknowledge, Act, SetMask
from gateway.model.actions.cue import CueKind, ProposeCue
from gateway.model.observation import Covariance, FromConnector, Plot
from gateway.outbox.outbox import Outbox
from gateway.ports.connector import ConnectorConfig, ConnectorType, Context, Port
from gateway.ports.picture import Picture
from gateway.service.connectors import ConnectorService
from gateway.service.connectors.port import ACTS_PER_MINUTE, MAX_OFFERED
from gateway.service.connectors.shown import shown_connectors
from tests.connectors.made import now_us
from tests.connectors.running import SITE, eventually


class OddConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`does` is what its connector does."""

    does: str = "works"
    number: int = 0


class Odd:
    """Made by `make`; `runs` counts its starts over all instances."""

    runs = 0
    ports: tuple[Port, ...] = ()
    release = asyncio.Event()

    def __init__(self, does: str) -> None:
        self._does = does

    @classmethod
    def make(cls, config: OddConfig, _context: Context) -> Odd:
        if config.does == "is_invalid":
            raise ConfigError("number is wrong")
        return cls(config.does)

    async def run(self, port: Port) -> None:
        Odd.runs += 1
        Odd.ports = (*Odd.ports, port)
        match self._does:
            case "raises":
                raise KeyError(" ".join(("secret", "text", port.name)))
            case "exits":
                raise SystemExit(3)
            case "cancels_itself":
                raise asyncio.CancelledError
            case "returns":
                return
            case "passes_over_cancel":
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                await Odd.release.wait()
                return
        port.status.connected(port.clock_us())
        await asyncio.Event().wait()


ODD = ConnectorType("odd", OddConfig, Odd.make, "does odd things")


class Gateway:
    """What the supervisor is given."""

    def __init__(self, **values: Any) -> None:
        self.taken: list[FromConnector] = []
        self.acts: list[Act | ProposeCue] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.service = ConnectorService(
            SITE,
            Picture(),
            Outbox("yard"),
            take=self._take,
            act=self._act,
            settle=lambda *_values: None,
            report_cue=lambda _report: None,
            clock_us=now_us,
            rng=random.Random(1),
            wait_s=(0.005, 0.02),
        )

    def configure(self, *configs: OddConfig) -> None:
        self.service.apply(self.service.prepare([(ODD, config) for config in configs]))

    async def _take(self, some: Sequence[FromConnector]) -> None:
        await self.is_open.wait()
        if any(getattr(one, "track", "") == "poison" for one in some):
            raise RuntimeError("intake cannot take that")
        self.taken += some

    async def _act(self, act: Act | ProposeCue) -> bool:
        self.acts.append(act)
        return True


@asynccontextmanager
async def gateway(*configs: OddConfig) -> AsyncIterator[Gateway]:
    Odd.runs, Odd.ports, Odd.release = 0, (), asyncio.Event()
    made = Gateway()
    made.configure(*configs)
    task = asyncio.create_task(made.service.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def odd(name: str, does: str = "works", **values: Any) -> OddConfig:
    return OddConfig(kind="odd", name=name, does=does, **values)


def plot(**values: Any) -> Plot:
    return replace(Plot("", now_us(), 10.0, 20.0, Covariance.of_error(4.0), "17"), **values)


@pytest.mark.parametrize("does", ["raises", "exits", "cancels_itself", "returns"])
async def test_connector_that_ends_a_hundred_times_is_restarted_and_others_go_on(
    does: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with gateway(odd("bad", does), odd("good")) as made:
        bad, good = made.service.status_of("bad"), made.service.status_of("good")
        await eventually(lambda: bad.restarts >= 100)
        assert (good.state, good.restarts) == ("connected", 0)
        assert bad.state == "failing" and bad.problem
    assert "secret text" not in caplog.text + bad.problem
    assert len([one for one in caplog.records if "connector bad" in one.message]) == 1


async def test_connector_that_passes_over_its_cancellation_delays_the_end_by_a_second() -> None:
    loop = asyncio.get_running_loop()
    async with gateway(odd("stuck", "passes_over_cancel")):
        await eventually(lambda: Odd.runs)
        started_s = loop.time()
    assert loop.time() - started_s < 1.5
    (stuck,) = [one for one in asyncio.all_tasks() if one.get_name() == "connector stuck run"]
    Odd.release.set()
    await asyncio.wait({stuck}, timeout=5)
    assert stuck.cancelled()


async def test_reload_leaves_unchanged_connectors_running_and_restarts_changed_ones() -> None:
    async with gateway(odd("same"), odd("changed"), odd("removed")) as made:
        await eventually(lambda: Odd.runs == 3)
        before = dict(made.service.connectors)
        made.configure(odd("same"), odd("changed", number=2), odd("added"))
        await eventually(lambda: Odd.runs == 5)
        after = made.service.connectors
        assert after["same"] is before["same"]
        assert after["changed"] is not before["changed"]
        await eventually(lambda: not [t for t in before["removed"].tasks if not t.done()])
        assert list(after) == ["same", "changed", "added"]
        assert before["removed"].port.status.state == "stopped"


async def test_reload_with_an_invalid_connector_changes_nothing() -> None:
    async with gateway(odd("one")) as made:
        before = dict(made.service.connectors)
        with pytest.raises(ConfigError, match="number is wrong"):
            made.configure(odd("two"), odd("bad", "is_invalid"))
        assert made.service.connectors == before


async def test_offer_beyond_the_queue_is_counted_and_never_waits() -> None:
    async with gateway(odd("radar")) as made:
        made.is_open.clear()
        await eventually(lambda: Odd.ports)
        (port,) = Odd.ports
        answers = [port.offer(plot()) for _number in range(MAX_OFFERED + 500)]
        assert answers.count(False) == port.status.counters["full"] == 500
        made.is_open.set()
        await eventually(lambda: len(made.taken) == MAX_OFFERED)
        assert {one.source for one in made.taken} == {"radar"}


async def test_offer_that_intake_cannot_take_is_counted_and_the_next_is_taken() -> None:
    async with gateway(odd("radar")) as made:
        await eventually(lambda: Odd.ports)
        (port,) = Odd.ports
        assert port.offer(plot(track="poison"))
        await eventually(lambda: port.status.counters["lost"] == 1)
        assert port.offer(plot())
        await eventually(lambda: made.taken)


async def test_act_needs_permission_and_carries_the_name_of_the_connector() -> None:
    async with gateway(odd("ha", may=("acknowledge",)), odd("other")) as made:
        await eventually(lambda: len(Odd.ports) == 2)
        port, other = Odd.ports
        assert await port.act(Acknowledge(7, "eva"))
        assert not await port.act(SetMask("eva", "why", now_us() + 1, ("west",)))
        assert not await port.act(ProposeCue("eva", "mast", CueKind.LOOK, 1.0, 1.0, 1.0, 1))
        assert not await other.act(Acknowledge(7, "eva"))
        assert made.acts == [Acknowledge(7, "connector:ha")]
        assert port.status.counters["acts_refused"] == 2


async def test_acts_without_end_are_limited_per_minute_and_counted() -> None:
    async with gateway(odd("ha", may=("acknowledge",))) as made:
        await eventually(lambda: Odd.ports)
        (port,) = Odd.ports
        for number in range(ACTS_PER_MINUTE + 20):
            await port.act(Acknowledge(number + 1, ""))
        assert len(made.acts) <= ACTS_PER_MINUTE + 1
        assert port.status.counters["acts_limited"] >= 19


async def test_shown_connectors_name_roles_and_problems_without_secrets() -> None:
    async with gateway(odd("bad", "raises")) as made:
        await eventually(lambda: made.service.status_of("bad").restarts)
        (shown,) = shown_connectors(made.service, Outbox("yard"))
    assert (shown["name"], shown["kind"], shown["roles"]) == ("bad", "odd", ["runs"])
    assert (shown["state"], shown["problem"]) == ("failing", "KeyError")
