# SPDX-License-Identifier: MIT
"""The node's firmware streams: every sample and edge, with lost ones counted, until it ends."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.node.conftest import walker
from tests.node.yard import Yard
from tests.record.played import NODE, session_of, streamed
from tools.errors import UserError
from tools.record.assemble import Signal, StreamError
from tools.record.session import Session
from tools.record.source import Source
from tools.record.stream import Edge, Facts, Samples, parse

EDGES_S = [2.0, 4.0, 5.5, 6.0, 20.0, 21.5]
WALK_FS_HZ = 500


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory, micropython: Path) -> list[str]:
    """40 s of a node that streams, a person walks from second 10 to 30."""
    folder = tmp_path_factory.mktemp("streamed")
    return streamed(folder, micropython, walker(40, 10, 30), EDGES_S, fs_hz=WALK_FS_HZ)


def test_stream_holds_every_sample_and_edge_while_the_node_detects(lines: list[str]) -> None:
    session = session_of(lines)
    assert session.facts is not None
    assert (session.facts.node, session.facts.board, session.facts.pir) == (NODE, "pico_w", True)
    assert session.seconds == pytest.approx(40, abs=0.4)
    assert (session.signal.lost, session.signal.edges_lost, session.damaged) == ([], 0, 0)
    assert session.signal.pir_edges_s(250) == pytest.approx(EDGES_S, abs=0.02)
    assert any(line.startswith("detection ") and "class=person" in line for line in lines)
    # The samples are those of the ground: what the front end makes of the same feed.
    ground = np.frombuffer(walker(40, 10, 30), "<i4")[::2].astype(float)
    counts = session.signal.counts().astype(float)
    size = min(ground.size, counts.size)
    steps = slice(10 * 250, 30 * 250)
    a, b = ground[:size][steps], counts[:size][steps]
    shifts = [np.corrcoef(np.roll(a, lag), b)[0, 1] for lag in range(-3, 4)]
    assert max(shifts) > 0.98


def test_stream_of_an_esp32_with_its_own_converter_is_whole(
    tmp_path: Path, micropython: Path
) -> None:
    feed = walker(20, 5, 15)
    printed = streamed(tmp_path, micropython, feed, EDGES_S[:2], fs_hz=WALK_FS_HZ, board="esp32")
    session = session_of(printed)
    assert session.facts is not None and session.facts.board == "esp32"
    assert session.signal.lost_samples == 0
    assert session.seconds > 18
    assert len(session.signal.pir_edges_s(250)) == 2


def test_stream_damaged_lines_are_counted_and_their_samples_marked(lines: list[str]) -> None:
    at = [n for n, line in enumerate(lines) if isinstance(_parsed(line), Samples)]
    broken = list(lines)
    broken[at[50]] = broken[at[50]][:30] + ("A" if broken[at[50]][30] != "A" else "B")
    del broken[at[80] : at[83]]
    whole, session = session_of(lines), session_of(broken)
    assert session.damaged == 1
    assert session.signal.size == whole.signal.size
    assert [one.where for one in session.signal.lost] == ["cable", "cable"]
    assert session.signal.lost_samples > 100
    # Outside the marked stretches all samples are the same.
    here, there = session.signal.counts(), whole.signal.counts()
    same = np.ones(here.size, bool)
    for one in session.signal.lost:
        same[one.first : one.first + one.count] = False
        assert np.all(here[one.first : one.first + one.count] == here[one.first - 1])
    assert np.array_equal(here[same], there[same])


def test_stream_lost_edge_is_counted_and_the_level_is_right_again(lines: list[str]) -> None:
    edges = [n for n, line in enumerate(lines) if isinstance(_parsed(line), Edge)]
    session = session_of([line for n, line in enumerate(lines) if n != edges[1]])
    assert session.signal.edges_lost >= 1
    found = session.signal.pir_edges_s(250)
    assert len(found) == len(EDGES_S)
    assert found[2:] == pytest.approx(EDGES_S[2:], abs=0.02)
    assert found[1] == pytest.approx(EDGES_S[1], abs=0.5)  # by the level in the next record


def test_stream_without_a_request_prints_none_and_a_request_serves_one_start(
    tmp_path: Path, micropython: Path
) -> None:
    feed = walker(8, 0, 0)
    for number, nonsense in enumerate(("", "many", "-3", "99999999", "\xff\x00")):
        folder = tmp_path / str(number)
        folder.mkdir()
        printed = streamed(folder, micropython, feed, request=nonsense, fs_hz=WALK_FS_HZ)
        assert not any(line.startswith("stream ") for line in printed), nonsense
        assert any(line.startswith("node started") for line in printed)
        assert not (folder / "tree" / "state" / "stream").exists()


def test_stream_ends_when_its_time_is_over(tmp_path: Path, micropython: Path) -> None:
    printed = streamed(tmp_path, micropython, walker(20, 0, 0), request="10", fs_hz=WALK_FS_HZ)
    assert "stream ends cause=time" in printed
    session = session_of(printed)
    assert session.ended == "time"
    assert session.seconds == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("link", ["serial", "wifi"])
def test_stream_ends_by_itself_when_the_cable_goes_and_the_node_goes_on(
    link: str, tmp_path: Path, micropython: Path
) -> None:
    yard = Yard(tmp_path, micropython, link=link)
    (yard.tree / "state").mkdir(exist_ok=True)
    (yard.tree / "state" / "stream").write_text("600")
    session = Session()
    with yard.node(walker(60, 8, 40), pir_edges_s=[1.0, 2.0]) as node:
        with Source(str(node.port)) as source:
            for line in source.lines():
                if line is not None:
                    session.take(line.text, line.at_s, "n01")
                if session.seconds > 4:
                    break
        node.unplug()
        end_s = time.monotonic() + 30
        while "stream ends cause=host" not in node.lines:
            assert time.monotonic() < end_s, node.lines[-20:]
            time.sleep(0.1)
        while not any(line.startswith("detection ") for line in node.lines):
            assert time.monotonic() < end_s + 30, node.lines[-20:]
            time.sleep(0.1)
        assert not any(line.startswith("task failed") for line in node.lines)
    assert session.signal.lost_samples == 0
    # The two clocks are joined within the time that a key press takes.
    assert abs(session.t0_utc_s + session.seconds - time.time()) < 120


def test_stream_of_a_node_that_started_again_is_no_longer_joined(lines: list[str]) -> None:
    session = session_of(lines)
    first = next(one for line in lines if isinstance(one := _parsed(line), Samples))
    with pytest.raises(StreamError, match="started again"):
        session.signal.add(replace(first, first=first.first + 10_000_000))
    facts = next(line for line in lines if isinstance(_parsed(line), Facts))
    with pytest.raises(UserError, match="is n07, not n01"):
        Session().take(facts, 0.0, "n01")


def test_samples_that_the_node_missed_are_marked_where_they_are() -> None:
    signal = Signal()
    ones = np.ones(50, np.int32)
    signal.add(Samples(ones, 100, 1000, 7, 2, None))
    signal.add(Samples(ones, 150, 1200, 10, 2, None))
    signal.add(Samples(ones, 200, 1400, 10, 5, None))
    signal.add(Samples(ones, 200, 1400, 10, 5, None))
    assert [(one.first, one.count, one.where) for one in signal.lost] == [(50, 3, "node")]
    assert (signal.clipped, signal.repeated, signal.size) == (3, 1, 150)


def _parsed(line: str) -> object:
    try:
        return parse(line)
    except ValueError:
        return None
