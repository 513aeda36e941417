# SPDX-License-Identifier: MIT
"""Footfalls from the wire to the alarm: they move a position, are stored and replayed, and
invalid ones are counted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.fusion.rules import Rules
from gateway.model.place.site import Site
from gateway.service.stages import Stages
from gateway.store.interface import Snapshot
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Phase
from tests.gateway.played_node import ROOT, PlayedNode, write_config
from tests.gateway.test_pipeline import T0, S, Uplink, play
from tests.gateway.test_replay_store import database, folder, replay

__all__ = ["folder"]

ONSET_MS = 20_000
WAVE_M_S = 160.0


def walk(footfalls: bool = True, error_ms: int = 3) -> list[Uplink]:
    """A person walks along four nodes 25 m apart, 8 m aside; all detect him all the time."""
    nodes = [PlayedNode(f"n{i + 1:02}") for i in range(4)]
    uplinks: list[Uplink] = [(T0, node.up, node.hello(0)) for node in nodes]
    for index, node in enumerate(nodes):
        uplinks.append((T0 + 21 * S + index, node.up, node.detection(ONSET_MS)))
        for number in range(1, 9):
            elapsed_s = 5.0 * number
            report_us = T0 + round((20.2 + elapsed_s) * S) + index
            phase = Phase.UPDATE if number < 8 else Phase.END
            if footfalls:
                steps = _steps(25.0 * index, 20.0 + elapsed_s - 4.4)
                first_ms = T0 // 1000 + steps[0]
                pairs = [(at_ms - steps[0], 400) for at_ms in steps]
                data = node.footfalls(ONSET_MS, first_ms, *pairs, error_ms=error_ms)
                uplinks.append((report_us - S // 10, node.up, data))
            data = node.detection(ONSET_MS, phase, elapsed_s=elapsed_s, confidence_pct=90)
            uplinks.append((report_us, node.up, data))
    return sorted(uplinks)


def _steps(node_x_m: float, since_s: float) -> list[int]:
    first = math.ceil(since_s / 0.55)
    found = []
    for number in range(first, first + 7):
        t_s = 0.55 * number
        far_m = math.hypot(x_at(t_s) - node_x_m, 8.0)
        found.append(round(1000 * (t_s + far_m / WAVE_M_S)))
    return found


def x_at(t_s: float) -> float:
    return 10.0 + 1.35 * (t_s - 20.0)


@pytest.fixture
def site(folder: Path) -> Site:
    return load_site(folder / "site.toml")


def pipeline(site: Site, snapshot: Snapshot | None = None) -> Stages:
    return Stages(site, site_keys(site, ROOT), snapshot)


def test_footfalls_locate_a_walker_on_the_line(site: Site) -> None:
    off_m = {}
    for footfalls in (False, True):
        made = pipeline(site)
        play(made, [one for one in walk(footfalls) if one[0] < T0 + 50 * S])
        (event,) = made.monitor.state.fusion.events
        off_m[footfalls] = abs(event.x_m - x_at((event.last_us - T0) / S))
        assert any("located by footstep arrival times" in one for one in event.reasons) == footfalls
    # Every node reports the same level: without the times all positions are alike.
    assert off_m[True] < 3 < off_m[False]


def test_footfalls_in_a_store_are_replayed_byte_for_byte_over_restarts(
    site: Site, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(folder / "data" / "groundwatch.db")
    store.open()
    uplinks = walk()
    for first, last in ((0, 30), (30, 31), (31, len(uplinks))):
        made = pipeline(site, store.load())
        play(made, uplinks[first:last])
        store.commit(made.take_writes())
    made = pipeline(site, store.load())
    made.tick(uplinks[-1][0] + 120 * S)
    store.commit(made.take_writes())
    store.close()
    status, lines = replay(capsys)
    assert (status, lines[-1]["identical"]) == (0, True), lines
    db = database(folder)
    alarms = [json.loads(row[0]) for row in db.execute("SELECT value FROM alarm_history")]
    kept = db.execute("SELECT count(*) FROM message WHERE kind = 'footfalls'").fetchone()[0]
    db.close()
    assert kept == 32
    assert any("located by footstep" in reason for one in alarms for reason in one["reasons"])


def test_pipeline_restarted_between_footfalls_goes_on_as_if_it_had_not(site: Site) -> None:
    uplinks = walk()
    expected = play(pipeline(site), uplinks)
    for cut in range(10, len(uplinks), 9):
        store = SqliteStore(None)
        store.open()
        first = pipeline(site)
        lines = play(first, uplinks[:cut])
        store.commit(first.take_writes())
        assert lines + play(pipeline(site, store.load()), uplinks[cut:]) == expected
        store.close()


@pytest.mark.parametrize("off_ms", [-20_100, 200, 3_600_000])
def test_footfalls_by_a_clock_that_cannot_be_right_are_counted_and_move_nothing(
    site: Site, off_ms: int
) -> None:
    made, node = pipeline(site), PlayedNode("n01")
    play(made, [(T0, node.up, node.hello(0)), (T0 + 21 * S, node.up, node.detection(ONSET_MS))])
    record = node.footfalls(ONSET_MS, (T0 + 22 * S) // 1000 + off_ms, (0, 400))
    outcome = made.uplink(T0 + 22 * S, node.up, record)
    assert outcome.refused == ""
    assert made.intake.refused.by_reason() == {"untimely_footfalls": 1}
    assert made.monitor.state.fusion.events[0].activities[0].footfalls == ()


def test_footfalls_sent_again_are_refused_as_a_replay(site: Site) -> None:
    made, node = pipeline(site), PlayedNode("n01")
    play(made, [(T0, node.up, node.hello(0)), (T0 + 21 * S, node.up, node.detection(ONSET_MS))])
    record = node.footfalls(ONSET_MS, (T0 + 21 * S) // 1000, (0, 400))
    made.uplink(T0 + 22 * S, node.up, record)
    assert made.uplink(T0 + 23 * S, node.up, record).refused == "replayed"
    assert len(made.monitor.state.fusion.events[0].activities[0].footfalls) == 1


PAIRS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 65_535)), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    reports=st.lists(
        st.tuples(st.integers(0, 3), st.integers(-19_000, 0), PAIRS, st.integers(0, 10)),
        max_size=30,
    )
)
def test_footfalls_of_stolen_nodes_with_any_content_leave_a_valid_position(
    tmp_path_factory: pytest.TempPathFactory,
    reports: list[tuple[int, int, list[tuple[int, int]], int]],
) -> None:
    where = tmp_path_factory.mktemp("site")
    write_config(where, 'kind = "embedded"')
    made = pipeline(load_site(where / "site.toml"))
    nodes = [PlayedNode(f"n{i + 1:02}") for i in range(4)]
    play(made, [(T0 + 21 * S, node.up, node.detection(ONSET_MS)) for node in nodes])
    for number, (index, late_ms, pairs, error_ms) in enumerate(reports):
        node, at_us = nodes[index], T0 + 25 * S + number
        data = node.footfalls(ONSET_MS, at_us // 1000 + late_ms, *pairs, error_ms=error_ms)
        assert made.uplink(at_us, node.up, data).refused == ""
    made.uplink(T0 + 26 * S, nodes[0].up, nodes[0].detection(ONSET_MS, Phase.UPDATE, elapsed_s=5.0))
    (event,) = made.monitor.state.fusion.events
    assert math.hypot(event.x_m, event.y_m) < 1000
    assert 0 < event.error_m < 1000
    assert all(len(one.footfalls) <= Rules().max_footfalls for one in event.activities)
