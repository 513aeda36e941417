# SPDX-License-Identifier: MIT
"""Killed between the commits of the two stages, or before rows that may wait: no alarm is lost or
doubled, and what is known of nodes is the same."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.intake.nodes.rows import FLUSH_US
from gateway.model.actions.acts import SetMask
from gateway.model.place.site import Site
from gateway.monitor.replay import replay
from gateway.service.running import monitor_stage
from gateway.service.service import Service
from gateway.service.stages import Stages
from gateway.store.choose import reading
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Condition, ConditionKind, Receipt
from tests.gateway.bench import Bench
from tests.gateway.played_node import ROOT, PlayedNode, until, write_site
from tests.gateway.test_pipeline import T0, S, Uplink, crossing

MASK = SetMask("eva", "mowing", T0 + 3600 * S, sectors=("east",))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_site(tmp_path)
    return load_site(tmp_path / "site.toml")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore(tmp_path / "groundwatch.db")
    store.open()
    return store


def begin(site: Site, store: SqliteStore) -> Stages:
    """Another process takes up the store, as it stands."""
    return Stages(site, site_keys(site, ROOT), store.load())


def catch_up(stages: Stages, store: SqliteStore, now_us: int) -> Service:
    """What the service does at its start."""
    service = Service(stages, store, lambda: now_us, lambda _outcome: None)
    service.start()
    while service.monitor_stage.waiting:
        stages.process(service.monitor_stage._handed.popleft())
    return service


def raised(store: SqliteStore) -> Counter[Any]:
    """What was raised about which nodes, and how often."""
    rows = store._open_db().execute(
        "SELECT alarm_id, kind FROM alarm_history JOIN alarm ON alarm.id = alarm_id "
        "WHERE change = 'raised'"
    )
    return Counter(rows)


def processed(stages: Stages) -> bool:
    return stages.monitor.cursor == stages.intake.log.last_id


def portions(uplinks: list[Uplink], span_us: int) -> list[list[Uplink]]:
    """Those that came within so long of the first."""
    parts: list[list[Uplink]] = []
    for uplink in uplinks:
        if not parts or uplink[0] - parts[-1][0][0] > span_us:
            parts.append([])
        parts[-1].append(uplink)
    return parts


def assert_replayed(site: Site, path: Path, policy: Any) -> None:
    with reading(path) as db:
        verdicts = list(replay(db, policy))
    assert verdicts
    assert [one.identical for one in verdicts] == [True] * len(verdicts)


@pytest.mark.parametrize("seed", range(6))
def test_stages_killed_between_their_commits_raise_each_alarm_once(
    seed: int, site: Site, store: SqliteStore, tmp_path: Path
) -> None:
    rng, uplinks = random.Random(seed), crossing(seed)
    whole = Stages(site, site_keys(site, ROOT))
    for arrival_us, topic, payload in uplinks:
        whole.uplink(arrival_us, topic, payload)
    stages, kills = begin(site, store), 0
    entries = stages.start(uplinks[0][0])
    for arrival_us, topic, payload in uplinks:
        entries += stages.receive(arrival_us, topic, payload).entries
        store.commit(stages.take_writes(arrival_us, everything=False))  # of the first stage alone
        for _ in range(rng.choice((0, 0, 1, 3, 9))):
            if entries:
                stages.process(entries.pop(0))
        if rng.random() < 0.5:
            store.commit(stages.take_writes(arrival_us, everything=False))
        if rng.random() < 0.1:
            kills += 1
            stages, entries = begin(site, store), []
            catch_up(stages, store, arrival_us)
    for entry in entries:
        stages.process(entry)
    store.commit(stages.take_writes())
    assert kills > 3
    assert stages.monitor.cursor == stages.intake.log.last_id
    assert len(raised(store)) == whole.monitor.state.alarms.last_id >= 3
    assert set(raised(store).values()) == {1}
    about = [(a.kind, a.nodes, a.detections) for a in stages.monitor.state.alarms.open]
    assert about == [(a.kind, a.nodes, a.detections) for a in whole.monitor.state.alarms.open]
    assert_replayed(site, tmp_path / "groundwatch.db", stages.policy)


@pytest.mark.parametrize("killed", [False, True])
async def test_monitor_that_fell_behind_reads_the_log_and_raises_each_alarm_once(
    killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_stage, "HANDED_MAX", 2)
    monkeypatch.setattr(monitor_stage, "PORTION", 3)
    read, reads = monitor_stage.MonitorStage._read, list[int]()

    async def counted(stage: monitor_stage.MonitorStage) -> None:
        reads.append(1)
        await read(stage)

    monkeypatch.setattr(monitor_stage.MonitorStage, "_read", counted)
    path = tmp_path / "groundwatch.db"
    store = SqliteStore(path)
    store.open()
    bench, uplinks = Bench(tmp_path, store), crossing(2)
    whole = Stages(bench.site, site_keys(bench.site, ROOT))
    for arrival_us, topic, payload in uplinks:
        whole.uplink(arrival_us, topic, payload)
    parts = portions(uplinks, 30 * S)
    for lives in [[one] for one in parts] if killed else [parts]:
        async with bench.running():
            for part in lives:
                bench.now_us, last = part[0][0], bench.link.acknowledged + len(part)
                for arrival_us, topic, payload in part:
                    bench.offer(PlayedNode(topic.split("/")[3]), payload, arrival_us)
                await until(lambda last=last: bench.link.acknowledged == last)
                if not killed:
                    await until(lambda: processed(bench.stages))
        bench.begin()
    bench.service.start()
    store.commit(bench.stages.take_writes())
    assert len(reads) >= (1 if killed else 4)
    assert bench.stages.intake.messages == whole.intake.messages
    assert len(raised(store)) == whole.monitor.state.alarms.last_id
    assert set(raised(store).values()) == {1}
    assert_replayed(bench.site, path, bench.stages.policy)


def test_stages_entries_stored_by_the_other_stage_first_are_processed_once(
    site: Site, store: SqliteStore
) -> None:
    """Read from the log, then handed over: what the other stage's commit makes possible."""
    stages = begin(site, store)
    service = Service(stages, store, lambda: T0, lambda _outcome: None)
    entries = stages.start(T0)
    for node in (PlayedNode("n01"), PlayedNode("n02")):
        entries += stages.receive(T0, node.up, node.detection(1)).entries
    stage = service.monitor_stage
    stage._upto = entries[-1].id  # as after reading them
    stage.hand_over(entries)
    assert (stage.waiting, stage.behind) == (0, False)
    more = stages.receive(T0, PlayedNode("n03").up, PlayedNode("n03").detection(1)).entries
    stage.hand_over(more)
    assert (stage.waiting, stage.behind) == (1, False)
    lost = stages.intake.append(T0, "eva", MASK)  # numbered, and never handed over
    stage.hand_over(stages.intake.append(T0, "eva", MASK))
    assert lost[0].id == more[-1].id + 1
    assert (stage.waiting, stage.behind) == (1, True)


def test_intake_heartbeats_write_one_row_each_and_node_rows_seldom(
    site: Site, store: SqliteStore
) -> None:
    stages, node = begin(site, store), PlayedNode("n01")
    stages.uplink(T0, node.up, node.hello(0))
    store.commit(stages.take_writes(T0, everything=False))
    per_node = Counter[str]()
    for number in range(1, 200):
        now_us = T0 + number * FLUSH_US // 200
        stages.uplink(now_us, node.up, node.health(number))
        writes = stages.take_writes(now_us, everything=False)
        assert len(writes.messages) == 1
        assert (writes.nodes, writes.boots) == ({}, {})
        per_node.update(name.split(":")[0] for name in writes.state)
        assert set(writes.state) <= {"count:log", "monitor:cursor", "ear:n01", "battery:n01"}
        store.commit(writes)
    assert (per_node["node"], per_node["battery"]) == (0, 1)  # a voltage an hour
    stages.uplink(T0 + FLUSH_US + 3 * S, node.up, node.health(1000))
    writes = stages.take_writes(T0 + FLUSH_US + 3 * S, everything=False)
    assert set(writes.nodes) == {"n01"}
    assert set(writes.boots) == {("n01", 1)}
    assert "node:n01" in writes.state


def stream(seed: int) -> list[Uplink]:
    """Walks, heartbeats, gaps that close late or are given up, conditions, boots, rubbish."""
    rng = random.Random(seed)
    uplinks = crossing(seed, walks=2)
    for number in range(1, 5):
        node = PlayedNode(f"n{number:02}", boot=2)
        held: list[bytes] = []
        for turn in range(25):
            at_us = T0 + (400 + 20 * turn + number) * S
            match rng.randrange(6):
                case 0:
                    data = node.hello(
                        1000 * turn, oldest_seq=rng.choice((None, node._seq[0] or None))
                    )
                case 1:
                    kind = rng.choice((ConditionKind.TAMPER, ConditionKind.LOW_BATTERY))
                    given = Condition(t_ms=turn, kind=kind, active=rng.randrange(2), value=turn)
                    data = node.seal(given, 0)
                case 2:
                    held.append(node.detection(1000 * turn))  # comes much later, or never
                    continue
                case 3:
                    data = node.detection(1000 * turn)
                case _:
                    data = node.health(1000 * turn, pending=len(held))
            uplinks.append((at_us, node.up, data))
            if held and rng.random() < 0.3:
                late = held.pop(rng.randrange(len(held)))
                uplinks.append((at_us + rng.randrange(50) * S, node.up, late))
            if rng.random() < 0.1:
                uplinks.append((at_us + S, node.up, data))  # a copy
            if rng.random() < 0.1:
                uplinks.append((at_us + S, node.up, data[:-1] + b"\0"))
    return sorted(uplinks)


def known(stages: Stages) -> dict[str, Any]:
    """All that intake knows of nodes, as far as no copy of a message changes it."""
    intake = stages.intake
    views = {name: vars_of(view) for name, view in intake.registry.views.items()}
    windows = {n: (w.newest, w.bits) for n, w in intake.authenticator.volatile.items()}
    sequences = {
        key: (one.upto, one.newest, one.gaps())
        for key, one in intake.authenticator.durable.items()
        if one.newest
    }
    return {
        "views": views,
        "windows": windows,
        "sequences": sequences,
        "clocks": intake.clocks._clocks,
        "missing": {key: count for key, count in intake.completeness.missing.items() if count},
        "gaps": {node: intake.completeness.gaps(node) for node in intake.registry.views},
        "receipts": {k: v.stored for k, v in intake.authenticator.durable.items() if v.stored},
        "counts": (intake.messages, intake.detections),
        "refused": dict(intake.refused.cells),
    }


def vars_of(view: Any) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__slots__ if name != "duplicates"}


@pytest.mark.parametrize("seed", range(12))
def test_intake_killed_before_node_rows_were_written_knows_the_same_of_all_nodes(
    seed: int, site: Site, store: SqliteStore
) -> None:
    uplinks, rng = stream(seed), random.Random(seed)
    whole = Stages(site, site_keys(site, ROOT))
    for arrival_us, topic, payload in uplinks:
        whole.receive(arrival_us, topic, payload)
    whole.take_writes()
    whole.committed()
    stages, at, stored, kills = begin(site, store), 0, 0, 0
    while at < len(uplinks):
        stages.receive(*uplinks[at])
        at += 1
        if rng.random() < 0.3:
            everything = rng.random() < 0.02
            store.commit(stages.take_writes(uplinks[at - 1][0], everything))
            stages.committed()
            stored = at
        if rng.random() < 0.05:  # what was not committed comes again
            stages, at, kills = begin(site, store), stored, kills + 1
    store.commit(stages.take_writes(uplinks[-1][0], everything=False))
    stages.committed()
    assert kills > 3
    assert known(stages) == known(whole)
    assert known(begin(site, store)) == known(whole)
    store.commit(stages.take_writes(everything=True))
    assert known(begin(site, store)) == known(whole)


@pytest.mark.parametrize("seed", range(4))
def test_downlinks_never_use_a_counter_twice_however_often_killed(
    seed: int, site: Site, store: SqliteStore
) -> None:
    rng, used, nodes = random.Random(seed), set[bytes](), [PlayedNode("n01"), PlayedNode("n02")]
    for life in range(60):
        stages = begin(site, store)
        for turn in range(rng.randrange(1, 6)):
            node = rng.choice(nodes)
            stages.uplink(T0 + life * S, node.up, node.health(1000 * life + turn))
            if rng.random() < 0.7:
                store.commit(stages.take_writes(T0 + life * S, everything=False))
                stages.committed()
            for one in nodes:
                for _ in range(rng.choice((0, 1, 400))):
                    sealed = stages.intake.downlinks.seal(one.node, Receipt(upto=(1, 1)))
                    if sealed is not None:
                        counter = one.node.encode() + sealed[1][:13]
                        assert counter not in used
                        used.add(counter)
    assert len(used) > 1000


def test_intake_node_that_left_the_site_and_came_back_is_not_replayed(
    store: SqliteStore, tmp_path: Path
) -> None:
    write_site(tmp_path)
    whole = load_site(tmp_path / "site.toml")
    write_site(tmp_path, nodes=3)
    without = load_site(tmp_path / "site.toml")
    node = PlayedNode("n04")
    sent = [node.hello(0), node.detection(5), node.health(10)]
    stages = begin(whole, store)
    for data in sent:
        stages.uplink(T0, node.up, data)
    store.commit(stages.take_writes(T0, everything=False))  # and killed
    stages = begin(without, store)
    other = PlayedNode("n01")
    stages.uplink(T0 + S, other.up, other.health(1))
    store.commit(stages.take_writes(T0 + S, everything=True))
    stages = begin(whole, store)
    outcomes = [stages.uplink(T0 + 2 * S, node.up, data) for data in sent]
    assert [(one.refused, one.duplicate) for one in outcomes] == [
        ("replayed", False), ("", True), ("replayed", False),
    ]  # fmt: skip


def masks(stages: Stages) -> int:
    return len(stages.monitor.state.alarms.masks)


async def test_act_with_one_key_sent_twice_acts_once_also_across_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with bench.running():
        first = await bench.service.act(MASK, "key-1")
        second = await bench.service.act(MASK, "key-1")
        assert (first.done, first.repeated) == (True, False)
        assert (second.done, second.repeated) == (True, True)
    bench.begin()
    async with bench.running():
        assert await bench.service.act(MASK, "key-1") == second
        assert masks(bench.stages) == 1
        other = await bench.service.act(MASK, "key-2")
        assert (other.done, other.repeated) == (True, False)
    assert bench.store.rows("SELECT count(*) FROM log WHERE kind = 'SetMask'") == [(2,)]


async def test_act_with_one_key_sent_many_times_at_once_acts_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    impossible = SetMask("eva", "mowing", T0 + 3600 * S, sectors=("moon",))
    async with bench.running():
        given = [bench.service.act(MASK, "key-1") for _ in range(20)]
        results = await asyncio.gather(*given)
        assert [one.done for one in results] == [True] * 20
        assert sum(not one.repeated for one in results) == 1
        assert masks(bench.stages) == 1
        for repeated in (False, True):
            result = await bench.service.act(impossible, "key-2")
            assert (result.done, result.repeated) == (False, repeated)
    assert bench.store.rows("SELECT count(*) FROM log WHERE kind = 'SetMask'") == [(2,)]


async def test_act_with_a_key_killed_between_the_two_commits_acts_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stages = bench.stages
    stages.start(T0)
    entry = stages.intake.append(T0, "eva", MASK)[0]
    stages.act_keys.add(T0, "eva", "key-1", entry.id)
    bench.store.commit(stages.take_writes(T0, everything=False))  # killed before it is processed
    bench.begin()
    assert masks(bench.stages) == 0
    async with bench.running():
        assert masks(bench.stages) == 1
        result = await bench.service.act(MASK, "key-1")
        assert (result.done, result.repeated) == (True, True)
        assert masks(bench.stages) == 1
    assert bench.store.rows("SELECT count(*) FROM log WHERE kind = 'SetMask'") == [(1,)]
