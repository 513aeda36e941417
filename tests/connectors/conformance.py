# SPDX-License-Identifier: MIT
"""The conformance suite: what every connector owes, point by point, on a real far side.

A connector passes it by a `Harness` (tests/connectors/harness.py): its table, its far side, and how
to look there. Which points apply follows from the roles; docs/connectors.md has the table, and a
test keeps it true.
"""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.model.actions.cue import Cue, CueKind, CueState
from gateway.model.alarm import Alarm, AlarmChange, AlarmKind, Change
from gateway.model.target import TargetClass
from gateway.outbox.outbox import MAX_PENDING, Status
from gateway.service.connectors.port import MAX_OFFERED
from tests.connectors.harness import (
    ACTS,
    CUE,
    NOTIFIER,
    POINTS,
    ROLES,
    SINK,
    SOURCE,
    Harness,
    applies,
    point,
    table_of_points,
)
from tests.connectors.made import now_us
from tests.connectors.running import ERROR_M, SITE, Running, eventually

__all__ = ["POINTS", "Harness", "applies", "table_of_points"]


@point("the picture arrives", SINK)
async def picture_arrives(harness: Harness) -> None:
    """A reader that comes late has everything at once."""
    async with harness.connected():
        for kind, name in (("node", "n01"), ("node", "n03"), ("alarm", "7")):
            await eventually(lambda kind=kind, name=name: harness.shown(kind, name))


@point("error radius and age are shown", SINK)
async def error_and_age_are_shown(harness: Harness) -> None:
    """A place is never shown without how sure it is, and of when."""
    async with harness.connected() as made:
        shown = await eventually(lambda: harness.shown("alarm", "7"))
        view = made.picture.get("alarm", "7")
        assert shown.error_m == ERROR_M
        assert abs(shown.at_us - view.at_us) <= 60_000_000


@point("a change keeps the id", SINK)
async def change_keeps_the_id(harness: Harness) -> None:
    """What changes is the same thing on the other side, not one more."""
    async with harness.connected() as made:
        before = await eventually(lambda: harness.shown("alarm", "7"))
        made.put_alarm(7, confidence=0.31, x_m=44.0)

        async def changed() -> bool:
            now = await harness.shown("alarm", "7")
            return now is not None and now.text != before.text and "0.31" in now.text

        await eventually(changed)
        assert (await harness.names_shown("alarm")).count("7") == 1


@point("a break is visible", SINK, NOTIFIER)
async def break_is_visible(harness: Harness) -> None:
    """The status states the break and its cause in one line, without address and secret."""
    async with harness.connected() as made:
        await harness.cut()
        made.put_node("n01", battery_mv=3000)
        if NOTIFIER in harness.roles:
            notify(made, 1)
        await eventually(lambda: made.status.state == "failing")
        problem = made.status.problem
        assert problem and "\n" not in problem
        assert not any(str(value) in problem for value in secrets_of(harness.table()))


@point("the whole picture after a break", SINK)
async def whole_picture_after_a_break(harness: Harness) -> None:
    """What changed and what went meanwhile is true there afterwards."""
    async with harness.connected() as made:
        await eventually(lambda: harness.shown("node", "n02"))
        await harness.cut()
        made.put_node("n01", battery_mv=3000)
        await eventually(lambda: made.status.state == "failing", 30)
        made.picture.remove("node", "n02")
        made.put_alarm(7, confidence=0.42)
        await harness.mend()

        async def whole() -> bool:
            alarm = await harness.shown("alarm", "7")
            return (
                alarm is not None
                and "0.42" in alarm.text
                and await harness.shown("node", "n01") is not None
                and await harness.shown("node", "n02") is None
            )

        await eventually(whole, 30)
        await eventually(lambda: made.status.state == "connected")


@point("what is gone is taken back", SINK)
async def gone_is_taken_back(harness: Harness) -> None:
    """A node that is removed and an alarm that is over do not stay on the other side."""
    async with harness.connected() as made:
        await eventually(lambda: harness.shown("node", "n02"))
        await eventually(lambda: harness.shown("alarm", "7"))
        made.picture.remove("node", "n02")
        made.picture.remove("alarm", "7")

        async def gone() -> bool:
            node, alarm = await harness.shown("node", "n02"), await harness.shown("alarm", "7")
            return node is None and alarm is None

        await eventually(gone)
        assert await harness.shown("node", "n01") is not None


@point("a slow reader delays nothing", SINK)
async def slow_reader_delays_nothing(harness: Harness) -> None:
    """10,000 changes while the other side is away cost the gateway their own time only."""
    async with harness.connected() as made:
        await harness.cut()
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for number in range(10_000):
            made.put_node("n01", battery_mv=number)
        assert loop.time() - started_s < 5
        await harness.mend()
        await eventually(lambda: made.status.state == "connected", 30)


@point("what it brings is accepted in its name", SOURCE, ACTS)
async def brought_is_accepted_in_its_name(harness: Harness) -> None:
    """An observation has the connector as its source, an act as its person."""
    async with harness.connected() as made:
        await harness.send(1)
        await eventually(lambda: made.observations or made.acts)
        assert [one.source for one in made.observations] in ([], [made.name])
        assert [act.by for act in made.acts] in ([], [f"connector:{made.name}"])


@point("hostile input is counted, and no act", SOURCE, ACTS)
async def hostile_input_is_counted(harness: Harness) -> None:
    """Whatever comes from outside, nothing happens but a count; then valid input still counts."""
    async with harness.connected() as made:
        expected = await harness.send_hostile()
        counters = made.status.counters
        await eventually(lambda: refused(counters) >= expected)
        assert not made.observations and not made.acts
        assert made.status.state == "connected" and made.status.restarts == 0
        await harness.send(1)
        await eventually(lambda: made.observations or made.acts)


@point("full is counted and never waited for", SOURCE, ACTS, NOTIFIER)
async def full_is_counted(harness: Harness) -> None:
    """A gateway that takes no more now, or a receiver that is away: counted, and nothing waits."""
    async with harness.connected() as made:
        made.is_open.clear()
        if NOTIFIER in harness.roles:
            await harness.cut()
            for number in range(MAX_PENDING + 20):
                notify(made, number, at_us=now_us() + number * 10_000_000)
            assert made.outbox.counts[made.name]["dropped"] >= 20
            return
        for _attempt in range(20):
            await harness.send(MAX_OFFERED // 4)
            if made.status.counters["full"]:
                break
        await eventually(lambda: made.status.counters["full"] > 0)
        made.is_open.set()
        await eventually(lambda: made.observations or made.acts)


@point("a notification arrives, with a receipt", NOTIFIER)
async def notification_arrives(harness: Harness) -> None:
    """Delivered is what the other side confirmed, in words of ours."""
    async with harness.connected() as made:
        notify(made, 7)
        await eventually(lambda: made.settled)
        ((_number, status, attempts, receipt),) = made.settled
        assert (status, attempts) == (Status.SENT, 1) and receipt
        await eventually(
            lambda: any("yard: person in west" in text for text in harness.delivered())
        )


@point("a notification is kept through a break", NOTIFIER)
async def notification_is_kept_through_a_break(harness: Harness) -> None:
    """Tried again until the other side has it."""
    async with harness.connected() as made:
        await harness.cut()
        notify(made, 7)
        worker = made.service.connectors[made.name].worker
        assert worker is not None
        await eventually(lambda: worker.tried)
        assert made.status.state == "failing" and not made.settled
        await harness.mend()
        await eventually(lambda: made.settled, 30)
        assert made.settled[0][1] is Status.SENT and made.settled[0][2] > 1


@point("a confirmed cue is carried out", CUE)
async def confirmed_cue_is_carried_out(harness: Harness) -> None:
    """Sent, executing, done: as the device reports it, once."""
    async with harness.connected() as made:
        made.service.on_cue(cue(made, 1, CueState.CONFIRMED))
        made.service.on_cue(cue(made, 1, CueState.CONFIRMED))
        await eventually(lambda: made.cue_reports and made.cue_reports[-1].state.final)
        assert [one.state for one in made.cue_reports] == [
            CueState.SENT,
            CueState.EXECUTING,
            CueState.DONE,
        ]
        assert len(harness.moves()) == 1


@point("nothing moves that is not confirmed", CUE)
async def nothing_moves_unconfirmed(harness: Harness) -> None:
    """Proposed, expired and withdrawn cues move nothing."""
    async with harness.connected() as made:
        made.service.on_cue(cue(made, 1, CueState.PROPOSED))
        made.service.on_cue(cue(made, 2, CueState.WITHDRAWN))
        made.service.on_cue(cue(made, 3, CueState.CONFIRMED, lasts_us=-1))
        made.service.on_cue(cue(made, 4, CueState.CONFIRMED))
        await eventually(lambda: made.cue_reports and made.cue_reports[-1].state.final)
        assert {one.cue_id for one in made.cue_reports} == {4}
        assert len(harness.moves()) == 1


@point("a withdrawn cue stops the device", CUE)
async def withdrawn_cue_stops_the_device(harness: Harness) -> None:
    """Also while it moves; nothing more is reported of it, and the next cue is carried out."""
    async with harness.connected() as made:
        await harness.cut()
        made.service.on_cue(cue(made, 1, CueState.CONFIRMED))
        await eventually(lambda: made.cue_reports)
        await harness.mend()
        made.service.on_cue(cue(made, 1, CueState.WITHDRAWN))
        await eventually(lambda: any("stop" in move for move in harness.moves()))
        made.service.on_cue(cue(made, 2, CueState.CONFIRMED))
        await eventually(lambda: made.cue_reports[-1].state is CueState.DONE)
        assert [one.state for one in made.cue_reports if one.cue_id == 1] == [CueState.SENT]


@point("a device that fails is reported", CUE)
async def failing_device_is_reported(harness: Harness) -> None:
    """Failed, with a reason, for each cue; the connector goes on."""
    async with harness.connected() as made:
        await harness.jam()
        made.service.on_cue(cue(made, 1, CueState.CONFIRMED))
        await eventually(lambda: made.cue_reports and made.cue_reports[-1].state.final)
        assert made.cue_reports[-1].state is CueState.FAILED and made.cue_reports[-1].problem


@point("it ends on cancel within a second", *ROLES)
async def ends_on_cancel(harness: Harness) -> None:
    """Connected, and also while the other side is away."""
    for is_cut in (False, True):
        async with harness.far_side():
            made = Running(harness.kind, harness.table(), harness.folder)
            task = asyncio.create_task(made.service.run())
            made.put_site()
            if harness.roles & {SINK, SOURCE, ACTS}:
                await eventually(lambda made=made: made.status.state == "connected")
            if is_cut:
                await harness.cut()
                made.put_node("n01", battery_mv=3000)
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            task.cancel()
            await asyncio.wait({task}, timeout=5)
            assert task.cancelled() and loop.time() - started_s < 1
            await asyncio.sleep(0)
            name = f"connector {made.name} "
            assert not [one for one in asyncio.all_tasks() if one.get_name().startswith(name)]
            if is_cut:
                await harness.mend()


def refused(counters: dict[str, int]) -> int:
    """Everything that was counted as not accepted."""
    return sum(
        count
        for name, count in counters.items()
        if name in ("rejected", "acts_refused", "too_big") or name.startswith("ignored")
    )


def secrets_of(table: dict[str, Any]) -> list[Any]:
    """What must not be shown: addresses and secrets."""
    return [table[key] for key in ("url", "host", "password", "token", "path") if key in table]


def notify(made: Running, number: int, at_us: int | None = None) -> None:
    """An alarm that is raised."""
    raised_us = at_us or now_us()
    alarm = Alarm(
        id=number,
        kind=AlarmKind.INTRUSION,
        key=f"e{number}",
        priority=1,
        raised_us=raised_us,
        changed_us=raised_us,
        active=True,
        acknowledged=False,
        nodes=("n01", "n02"),
        sectors=("west",),
        reasons=("two nodes agree",),
        target=TargetClass.PERSON,
        confidence=0.9,
    )
    change = AlarmChange(Change.RAISED, alarm, raised_us)
    made.service.deliver(made.outbox.offer([change], raised_us))


def cue(made: Running, number: int, state: CueState, lasts_us: int = 60_000_000) -> Cue:
    """For the device under test."""
    at_us = now_us()
    return Cue(
        id=number,
        device=made.name,
        kind=CueKind.LOOK,
        state=state,
        alarm_id=7,
        x_m=10.0,
        y_m=20.0,
        error_m=5.0,
        proposed_us=at_us,
        proposed_by="eva",
        expires_us=at_us + lasts_us,
        changed_us=at_us,
        confirmed_by=("eva",),
        sector=next(iter(SITE.sectors)),
    )
