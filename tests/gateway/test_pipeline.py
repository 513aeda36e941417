# SPDX-License-Identifier: MIT
"""The pipeline as a whole: repeatable, restartable, and honest about gaps."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from gateway.alarms import Acknowledge
from gateway.audit.chain import history_digest
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.errors import StoreError
from gateway.model import text
from gateway.model.alarm import Disposition
from gateway.model.place.site import Site
from gateway.service.stages import Stages
from gateway.store.interface import Writes
from gateway.store.sqlite import SqliteStore
from gateway.wire.messages import Condition, ConditionKind, Phase, Receipt
from tests.gateway.played_node import ROOT, PlayedNode, write_site

S = 1_000_000
T0 = 1_790_000_000 * S
Uplink = tuple[int, str, bytes]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_site(tmp_path)
    return load_site(tmp_path / "site.toml")


def new_pipeline(site: Site, store: SqliteStore | None = None) -> Stages:
    return Stages(site, site_keys(site, ROOT), store.load() if store else None)


def crossing(seed: int = 1, walks: int = 3) -> list[Uplink]:
    """Walks along four nodes with delays, copies, reordering and rubbish in between."""
    rng = random.Random(seed)
    uplinks: list[Uplink] = []
    nodes = [PlayedNode(f"n{i + 1:02}") for i in range(4)]

    def send(node: PlayedNode, t_s: float, data: bytes) -> None:
        for _ in range(1 + (rng.random() < 0.2)):
            uplinks.append((T0 + int(S * (t_s + rng.expovariate(8))), node.up, data))

    for node in nodes:
        send(node, 0, node.hello(0))
        uplinks.append((T0 + 1, node.up, node.health(1)[:-1]))
    for walk in range(walks):
        for index, node in enumerate(nodes):
            onset_s = 20 + 150 * walk + 18 * index
            t_ms = int(1000 * onset_s)
            send(node, onset_s, node.detection(t_ms, peak_um_s=1.3))
            passed = node.detection(t_ms, Phase.UPDATE, elapsed_s=9, peak_um_s=3.0)
            send(node, onset_s + 9, passed)
            gone = node.detection(t_ms, Phase.END, elapsed_s=18, peak_um_s=1.5)
            send(node, onset_s + 18, gone)
    return sorted(uplinks)


def play(pipeline: Stages, uplinks: list[Uplink]) -> list[str]:
    lines = []
    for arrival_us, topic, payload in uplinks:
        for outcome in (pipeline.tick(arrival_us), pipeline.uplink(arrival_us, topic, payload)):
            lines += [text.format_json(line) for line in outcome.lines(T0)]
    return lines


def test_pipeline_two_runs_give_the_same_bytes(site: Site) -> None:
    uplinks = crossing()
    first, second = new_pipeline(site), new_pipeline(site)
    assert play(first, uplinks) == play(second, uplinks)
    assert first.take_writes() == second.take_writes()


def test_pipeline_three_walks_are_three_alarms_with_direction(site: Site) -> None:
    pipeline = new_pipeline(site)
    lines = play(pipeline, crossing())
    raised = [line for line in lines if '"type":"alarm"' in line]
    assert len(raised) == 3
    assert pipeline.monitor.state.alarms.last_id == 3
    assert pipeline.intake.detections == 12
    assert any('"direction_deg":9' in line or '"direction_deg":8' in line for line in lines)
    assert pipeline.intake.refused.by_reason() == {
        "bad_envelope": 4,
        "replayed": pipeline_replays(pipeline),
    }


def pipeline_replays(pipeline: Stages) -> int:
    return sum(
        n for (reason, _), n in pipeline.intake.refused.cells.items() if reason == "replayed"
    )


def counts(stages: Stages) -> tuple[int, ...]:
    intake = stages.intake
    alarms = stages.monitor.state.alarms.last_id
    return intake.messages, intake.detections, intake.registry.duplicates, alarms


def test_pipeline_restarted_at_any_point_goes_on_as_if_it_had_not(site: Site) -> None:
    uplinks = crossing()
    whole = new_pipeline(site)
    expected = play(whole, uplinks)
    for cut in range(5, len(uplinks), 7):
        store = SqliteStore(None)
        before = new_pipeline(site, store)
        lines = play(before, uplinks[:cut])
        store.commit(before.take_writes())
        after = new_pipeline(site, store)
        lines += play(after, uplinks[cut:])
        assert lines == expected
        assert after.intake.registry.views == whole.intake.registry.views
        assert counts(after) == counts(whole)
        assert after.intake.refused.cells == whole.intake.refused.cells
        store.close()


def test_pipeline_gap_holds_the_receipt_until_the_node_reports_what_is_gone(site: Site) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    sent = [node.detection(1000 * i) for i in range(6)]
    for index in (0, 1, 4, 5):
        pipeline.uplink(T0 + index, node.up, sent[index])
    assert pipeline.intake.authenticator.sequence("n01", 1).upto == 2
    gone = Condition(t_ms=9, kind=ConditionKind.RECORDS_DROPPED, active=1, value=4, boot=1)
    pipeline.uplink(T0 + 9, node.up, node.seal(gone, 0))
    assert pipeline.intake.authenticator.sequence("n01", 1).upto == 7
    assert pipeline.intake.registry.views["n01"].records_dropped == 2
    other = PlayedNode("n02")
    for _ in range(5):
        other.detection(1)
    pipeline.uplink(T0 + 10, other.up, other.detection(2))
    assert pipeline.intake.authenticator.sequence("n02", 1).upto == 0
    pipeline.uplink(T0 + 11, other.up, other.hello(3, oldest_seq=6))
    assert pipeline.intake.authenticator.sequence("n02", 1).upto == 6


def test_pipeline_down_counters_are_never_used_twice_across_restarts(site: Site) -> None:
    store, node, seen = SqliteStore(None), PlayedNode("n01"), set()
    for start in range(5):
        pipeline = new_pipeline(site, store)
        pipeline.uplink(T0 + start, node.up, node.hello(start))
        writes = pipeline.take_writes()
        store.commit(writes)
        pipeline.committed()
        for _ in range(3):
            sealed = pipeline.intake.downlinks.seal("n01", Receipt(upto=(1, 1)))
            assert sealed is not None
            node.open_down(sealed[1])
            assert sealed[1] not in seen
            seen.add(sealed[1])
    assert len({data[7:13] for data in seen}) == 15


def test_pipeline_floor_that_is_set_again_moves_no_counter_back(site: Site) -> None:
    store, node = SqliteStore(None), PlayedNode("n01")
    pipeline = new_pipeline(site, store)
    pipeline.uplink(T0, node.up, node.hello(0))
    store.commit(pipeline.take_writes())
    pipeline.committed()
    downlinks, seen = pipeline.intake.downlinks, set()
    for _ in range(3):
        sealed = downlinks.seal("n01", Receipt(upto=(1, 1)))
        assert sealed is not None and sealed[1][7:13] not in seen
        seen.add(sealed[1][7:13])
        downlinks.start_above(0)


def test_pipeline_forger_is_reported_to_the_operator_and_stores_nothing(site: Site) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    good = node.detection(1)
    outcomes = [pipeline.uplink(T0 + i, node.up, good[:-1] + b"\0") for i in range(20)]
    changes = [change for outcome in outcomes for change in outcome.alarms]
    assert [change.alarm.kind.value for change in changes] == ["forgery"]
    writes = pipeline.take_writes()
    assert writes.messages == []
    assert writes.refused == {("bad_tag", "n01"): 20}
    cleared = pipeline.tick(T0 + 100 * S).alarms
    assert [change.change.value for change in cleared] == ["cleared"]


def test_pipeline_silent_node_is_lost_and_found_again(site: Site) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    pipeline.uplink(T0, node.up, node.hello(0))
    pipeline.tick(T0)
    assert pipeline.tick(T0 + 179 * S).alarms == []
    lost = pipeline.tick(T0 + 181 * S).alarms
    assert [change.alarm.kind.value for change in lost] == ["node_lost"]
    # A copy of something old must not bring it back; a fresh heartbeat does.
    found = pipeline.uplink(T0 + 200 * S, node.up, node.health(200_000)).alarms
    assert [change.alarm.state for change in found] == ["cleared_unacked"]


def test_pipeline_node_that_comes_and_goes_is_one_alarm_until_acknowledged(site: Site) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    pipeline.uplink(T0, node.up, node.hello(0))
    changes = []
    for minute in range(0, 50, 5):
        for second in range(0, 300, 60):
            now = T0 + (60 * minute + second) * S
            changes += pipeline.tick(now).alarms
        changes += pipeline.uplink(now + 1, node.up, node.health(60_000 * minute)).alarms
    assert [change.change.value for change in changes[:3]] == ["raised", "cleared", "again"]
    assert {change.alarm.id for change in changes} == {1}
    assert [alarm.state for alarm in pipeline.monitor.state.alarms.open] == ["cleared_unacked"]
    pipeline.take(now, "eva", Acknowledge(1, "eva"))
    assert pipeline.monitor.state.alarms.open == ()


def test_pipeline_late_backlog_raises_no_live_alarm_until_it_catches_up(site: Site) -> None:
    pipeline, nodes = new_pipeline(site), [PlayedNode("n01"), PlayedNode("n02")]
    for node in nodes:  # two hours after the nodes started, the gateway is back
        pipeline.uplink(T0, node.up, node.hello(7_200_000))
    raised = [
        change.alarm
        for node in nodes
        for change in pipeline.uplink(
            T0 + S, node.up, node.detection(1_800_000, confidence_pct=90)
        ).alarms
    ]
    assert [(alarm.priority, alarm.reasons[0][:14]) for alarm in raised] == [(2, "reported late:")]
    pipeline.take(T0 + 2 * S, "eva", Acknowledge(1, "eva"))
    for node in nodes:
        pipeline.uplink(T0 + 3 * S, node.up, node.detection(7_000_000, confidence_pct=90))
    assert [alarm.priority for alarm in pipeline.monitor.state.alarms.open] == [2, 2]
    still = nodes[0].detection(7_000_000, Phase.UPDATE, elapsed_s=203, confidence_pct=90)
    alarm = pipeline.uplink(T0 + 4 * S, nodes[0].up, still).alarms[0].alarm
    assert (alarm.id, alarm.priority, alarm.acknowledged) == (2, 1, False)
    assert not any("late" in reason for reason in alarm.reasons)


YEAR = 365 * 24 * 3600 * S


def test_pipeline_clock_set_back_a_year_still_misses_nodes_and_ends_events(site: Site) -> None:
    pipeline = new_pipeline(site)
    play(pipeline, crossing(walks=1))
    assert [alarm.state for alarm in pipeline.monitor.state.alarms.open] == ["active_unacked"]
    back = T0 - YEAR
    for second in range(0, 300, 1):
        pipeline.tick(back + second * S)
    kinds = [(alarm.kind.value, alarm.active) for alarm in pipeline.monitor.state.alarms.open]
    assert kinds == [("intrusion", False)] + [("node_lost", True)] * 4 + [("jamming", True)]


def test_pipeline_clock_set_forward_a_year_times_what_follows_and_misses_no_one(
    site: Site,
) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    pipeline.tick(T0)
    pipeline.uplink(T0, node.up, node.hello(0))
    forward = T0 + YEAR
    assert pipeline.tick(forward + 10 * S).alarms == []
    for second in (20, 80):
        pipeline.uplink(forward + second * S, node.up, node.health(second * 1000))
    late = pipeline.uplink(forward + 100 * S, node.up, node.detection(90_000))
    assert abs(late.detections[0].onset_us - (forward + 90 * S)) < 10_000
    assert late.detections[0].uncertainty_us < S


def test_pipeline_will_reports_a_lost_node_after_a_grace(site: Site) -> None:
    pipeline, node = new_pipeline(site), PlayedNode("n01")
    will = node.seal(Condition(t_ms=0, kind=ConditionKind.LINK_LOST, active=1), 1)
    pipeline.uplink(T0, node.up, node.hello(0))
    pipeline.uplink(T0 + 5 * S, node.up, will)
    assert pipeline.tick(T0 + 15 * S).alarms == []
    assert [c.alarm.kind.value for c in pipeline.tick(T0 + 26 * S).alarms] == ["node_lost"]


def test_pipeline_acknowledgement_is_audited_in_the_same_commit(site: Site) -> None:
    pipeline = new_pipeline(site)
    play(pipeline, crossing())
    pipeline.take_writes()
    pipeline.take(T0 + 999 * S, "eva", Acknowledge(1, "eva", Disposition.ANIMAL))
    pipeline.take(T0 + 999 * S, "eva", Acknowledge(77, "eva"))  # there is none: nothing was done
    writes = pipeline.take_writes()
    assert [row.change for row in writes.history] == ["acknowledged"]
    change, act = (row for row in writes.audit if row.action != "records.seal")
    assert (change.actor, change.action, change.subject) == (
        "eva",
        "history.acknowledged",
        "alarm 1",
    )
    digest = history_digest(*writes.history[0]).hex()
    assert json.loads(change.detail_json) == {"history": writes.history[0].id, "sha256": digest}
    assert (act.actor, act.action, act.subject, act.detail_json) == (
        "eva",
        "alarm.acknowledge",
        "alarm 1",
        '{"act":"alarm.acknowledge","alarm_id":1,"by":"eva","disposition":"animal","note":""}',
    )


def test_store_closed_alarms_leave_out_what_is_still_open(site: Site) -> None:
    store = SqliteStore(None)
    pipeline = new_pipeline(site, store)
    play(pipeline, crossing())
    pipeline.tick(T0 + 1000 * S)
    pipeline.take(T0 + 1001 * S, "eva", Acknowledge(1, "eva"))
    store.commit(pipeline.take_writes())
    snapshot = store.load()
    assert [json.loads(value)["id"] for value in snapshot.closed_alarms] == [1]
    still_open = {json.loads(value)["id"] for value in snapshot.open_alarms}
    assert {2, 3} <= still_open
    assert 1 not in still_open


def test_store_in_use_is_refused_until_it_is_closed(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path / "db"), SqliteStore(tmp_path / "db")
    first.open()
    with pytest.raises(StoreError, match="another gateway uses it"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_store_commit_is_all_or_nothing(tmp_path: Path, site: Site) -> None:
    store = SqliteStore(tmp_path / "db")
    pipeline, node = new_pipeline(site, store), PlayedNode("n01")
    pipeline.uplink(T0, node.up, node.detection(1))
    writes = pipeline.take_writes()
    broken = Writes(messages=writes.messages, boots={("n01", 1): ("n01", 1)})  # type: ignore[dict-item]  # too short on purpose
    with pytest.raises(Exception, match=r"store .*db"):
        store.commit(broken)
    assert store.load().messages == 0
    store.commit(writes)
    store.commit(writes)
    assert store.load().messages == 1
    store.close()
