# SPDX-License-Identifier: MIT
"""The whole node, unmodified, in virtual time against the simulated board and gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.intake.authentication.authenticator import Authenticator, Refusal
from gateway.intake.authentication.sequence import WINDOW
from gateway.wire.messages import Condition, ConditionKind
from tests.node.conftest import NODE_KEY, UP_TOPIC, walker
from tests.on_node import run_on_node
from tests.trees import patch
from tools.boards import BOARDS
from tools.micropython import find

# Costs are not charged: these tests count samples or starts to the last one.
CHARGES = "none"
BOARD = "boards/pico_w/board.py"
STATION = "boards/station.py"
STATE = Path(__file__).parents[1] / "ledger" / "on_node" / "state.py"
DETECTION = re.compile(
    r"detection boot=(\d+) seq=(\d+) onset_ms=(\d+) phase=(onset|update|end) class=(\w+)"
    r" confidence_pct=(\d+) peak_um_s_x100=(\d+)"
)


def made(lines: list[str]) -> list[tuple[int, int, int, int]]:
    """(boot, seq, onset_ms, peak) of every detection a node has printed."""
    found = [DETECTION.fullmatch(line) for line in lines if line.startswith("detection")]
    assert all(found)
    return [(int(m[1]), int(m[2]), int(m[3]), int(m[7])) for m in found if m]


def sent(run: Any) -> list[tuple[int, int, int, int]]:
    """The same of every detection the gateway got."""
    found = {
        (boot, seq): (boot, seq, message.t_ms, message.peak_um_s_x100)
        for _t_us, space, boot, seq, message in run.uplinks
        if type(message).__name__ == "Detection" and space == 0
    }
    return sorted(found.values())


def conditions(run: Any) -> list[tuple[ConditionKind, int]]:
    """(kind, active) of every durable condition the gateway got."""
    return [(message.kind, message.active) for message in run.messages("Condition")]


@pytest.mark.parametrize("board", [row.name for row in BOARDS if not row.unsupported])
def test_node_with_a_walker_sends_what_it_made(
    board: str, micropython: Path, play: Callable[..., Any]
):
    run = play(micropython, walker(60, 20, 40), board)
    assert run.codes == [0]
    assert len(made(run.lines)) >= 3
    assert sent(run) == sorted(made(run.lines))
    hello = run.messages("Hello")[0]
    assert type(run.uplinks[0][4]).__name__ == "Hello"
    assert (hello.board, hello.fs_hz, hello.oldest_seq) == (board, 250, 1)
    health = run.messages("Health")
    assert health
    assert health[-1].samples_missed == 0
    assert 3_800 <= health[-1].battery_mv <= 4_000


@pytest.mark.parametrize("board", [row.name for row in BOARDS if row.unsupported])
def test_node_on_a_board_that_is_called_unsupported_does_not_start(
    board: str, micropython: Path, play: Callable[..., Any]
):
    # Once it starts, it is to be listed: tools/boards.py and tools/wiring/boards.toml.
    run = play(micropython, walker(20, 0, 0), board)
    assert any(line.startswith("MemoryError") for line in run.lines)
    assert made(run.lines) == []


def test_node_whose_work_takes_time_sends_its_detections_and_reports_missed_samples(
    micropython: Path, play: Callable[..., Any]
):
    run = play(micropython, walker(60, 20, 40), charges="typical")
    assert run.codes == [0]
    assert len(made(run.lines)) >= 3
    assert sent(run) == sorted(made(run.lines))
    # Each erase of flash costs some samples, and so do the modules loaded behind the first one.
    assert 0 <= run.messages("Health")[-1].samples_missed <= 48


def test_node_without_a_target_stays_silent(micropython: Path, play: Callable[..., Any]):
    run = play(micropython, walker(200, 0, 0))
    assert made(run.lines) == []
    assert conditions(run) == []
    beats = [t_us for t_us, _l, _b, _s, m in run.uplinks if type(m).__name__ == "Health"]
    gaps_s = [(b - a) / 1e6 for a, b in zip(beats, beats[1:], strict=False)]
    assert gaps_s
    assert all(47 <= gap_s <= 73 for gap_s in gaps_s)


def test_node_twice_with_one_seed_sends_the_same_bytes(micropython: Path, play: Callable[..., Any]):
    feed = walker(40, 12, 30)
    first = play(micropython, feed, name="first", seed=4)
    assert play(micropython, feed, name="second", seed=4).raw == first.raw
    assert play(micropython, feed, name="third", seed=5).raw != first.raw


def test_node_on_a_heap_like_the_boards_makes_the_same_detections(
    micropython: Path, play: Callable[..., Any]
):
    feed = walker(40, 12, 30)
    wide = play(find(), feed, name="wide", board_heap=False)
    narrow = play(micropython, feed, name="narrow")
    assert made(narrow.lines) == made(wide.lines)
    (start,) = [line for line in narrow.lines if line.startswith("node started")]
    # The whole run, not the start, is what counts. Simulated: 41.2 kB free at the start.
    assert int(start.rpartition("=")[2]) >= 38_000
    assert not [line for line in narrow.lines if "failed" in line]


def test_node_during_an_outage_keeps_sampling_and_sends_all_afterwards(
    micropython: Path, play: Callable[..., Any]
):
    run = play(micropython, walker(110, 20, 40), outages_s=[[10, 60]])
    assert made(run.lines)
    assert sent(run) == sorted(made(run.lines))
    late = [t_us for t_us, space, *_rest in run.uplinks if space == 0]
    assert min(late) >= 60_000_000
    assert len(run.messages("Hello")) == 2
    assert run.messages("Health")[-1].samples_missed == 0


def test_node_with_a_full_ledger_drops_the_oldest_and_reports_which(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    # As after hours without a gateway: all but the last places of the ledger are taken.
    play(micropython, walker(0.5, 0, 0))
    run_on_node(micropython, STATE, "make", str(tmp_path / "n07" / "state"), "1276")
    run = play(micropython, walker(200, 20, 60), outages_s=[[0, 60]])
    (report,) = (m for m in run.messages("Condition") if m.kind is ConditionKind.RECORDS_DROPPED)
    old = [seq for _t_us, space, boot, seq, _m in run.uplinks if (space, boot) == (0, report.boot)]
    assert (report.boot, report.value) == (2, 64)
    assert sorted(set(old)) == list(range(65, 1277))
    assert len(made(run.lines)) > 4
    assert [row for row in sent(run) if row[0] > report.boot] == sorted(made(run.lines))


def test_node_on_a_lossy_link_loses_nothing_and_never_reuses_a_number(
    micropython: Path, play: Callable[..., Any]
):
    run = play(micropython, walker(150, 20, 80), loss_pct=20)
    assert sent(run) == sorted(made(run.lines))
    seen: dict[tuple[int, int, int], Any] = {}
    for _t_us, *identity, message in run.uplinks:
        assert seen.setdefault(tuple(identity), message) == message
    assert len(run.messages("Hello")) >= 2


def test_will_of_a_lost_link_is_admitted_by_the_gateway_exactly_once(
    micropython: Path, play: Callable[..., Any]
):
    run = play(micropython, walker(120, 0, 0), outages_s=[[20, 30], [60, 70]])
    authenticator = Authenticator("north", {"n07": keys.KeyRing((keys.derive(NODE_KEY),))})
    sealed = [bytes.fromhex(json.loads(line)["payload"]) for line in run.raw.splitlines()]
    admitted = [(authenticator.admit(UP_TOPIC, data).message, data) for data in sealed]
    wills = [data for m, data in admitted if isinstance(m, Condition)]
    assert len(wills) == 2
    for will in wills:
        with pytest.raises(Refusal, match="replayed"):
            authenticator.admit(UP_TOPIC, will)


def test_node_replaces_its_will_before_the_gateway_would_find_it_too_old(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    age = re.compile(r"_WILL_AGE_MAX = const\((\d+)\)")
    before = patch(
        tmp_path / "n07",
        "ugs/link/broker.py",
        lambda text: age.sub("_WILL_AGE_MAX = const(4)", text),
    )
    match = age.search(before)
    assert match
    assert int(match[1]) < WINDOW
    run = play(micropython, walker(400, 0, 0))
    assert len(run.messages("Hello")) >= 2
    # A DISCONNECT each time: no lost link is reported.
    assert conditions(run) == []
    assert not [line for line in run.lines if "failed" in line]


def test_node_whose_case_is_opened_reports_it(micropython: Path, play: Callable[..., Any]):
    run = play(micropython, walker(40, 0, 0), tamper_edges_s=[10, 10.5, 30])
    tampers = [pair for pair in conditions(run) if pair[0] is ConditionKind.TAMPER]
    assert tampers == [
        (ConditionKind.TAMPER, 1),
        (ConditionKind.TAMPER, 0),
        (ConditionKind.TAMPER, 1),
    ]


def test_node_with_a_weak_battery_reports_it_once(micropython: Path, play: Callable[..., Any]):
    run = play(micropython, walker(60, 0, 0), battery_mv=3_400)
    assert conditions(run) == [(ConditionKind.LOW_BATTERY, 1)]


def test_node_with_a_dead_sensor_reports_it_within_a_minute_and_a_half(
    micropython: Path, play: Callable[..., Any]
):

    # A converter at its rail shows no noise at all, as a cut wire does on a better one.
    rail = (b"\x7f\xff\xff\x7f") * (90 * 500)
    run = play(micropython, rail)
    assert (ConditionKind.SAMPLES_CLIPPED, 1) in conditions(run)
    assert (ConditionKind.SENSOR_FAULT, 1) in conditions(run)


def test_node_whose_converter_does_not_answer_starts_and_reports_it(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0), "esp32")
    # The wire is off.
    patch(tmp_path / "n07", "boards/esp32/board.py", lambda x: x.replace('"cs": 5', '"cs": 4'))
    run = play(micropython, walker(30, 0, 0), "esp32")
    assert run.codes == [0]
    assert conditions(run) == [(ConditionKind.SENSOR_FAULT, 1), (ConditionKind.SAMPLES_MISSED, 1)]
    assert run.messages("Condition")[0].value == 7
    assert run.messages("Hello")


def test_node_whose_board_fails_at_start_is_reset_until_it_works(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    patch(tmp_path / "n07", STATION, lambda text: text.replace("network.STA_IF", "network.AP_IF"))
    run = play(micropython, walker(20, 0, 0))
    assert run.codes == [3, 3, 3, 0]  # after 5 s, after 10 s
    assert run.lines[0].startswith("node stops cause=")


def test_node_whose_tree_never_starts_calls_from_safe_mode_and_comes_back(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "exit.json").unlink()
    right = patch(tmp_path / "n07", BOARD, lambda _text: "1 / 0\n")
    # Waits of 5, 10, 20, 40 and 80 s.
    run = play(micropython, walker(300, 0, 0))
    assert run.codes == [3, 3, 3, 3, 3, 0]
    assert [line for line in run.lines if "fw=safe-0.1.0 boot=2 cause=exception" in line]
    assert [hello.fw for hello in run.messages("Hello")] == ["safe-0.1.0"]
    assert conditions(run) == [(ConditionKind.SAFE_MODE, 1)]
    assert run.messages("Health")
    # Ten minutes in safe mode, then the tree gets another start: broken still.
    run = play(micropython, walker(1_400, 0, 0))
    assert run.lines.count("safe mode lets the firmware try again") == 1
    assert run.codes == [3, 3, 0]
    patch(tmp_path / "n07", BOARD, lambda _text: right)
    # The second try is twenty minutes later, counted from the start that the power cut ended.
    run = play(micropython, walker(2_700, 0, 0))
    assert [line for line in run.lines if "fw=0.1.0 boot=6 cause=reboot" in line]
    assert run.messages("Hello")[-1].fw == "0.1.0"


@pytest.mark.parametrize("row", [row for row in BOARDS if not row.unsupported])
def test_safe_mode_of_each_board_has_what_its_sampler_imports(
    row: Any, micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    # "oversampled": with rp2.DMA, as on a board.
    board, more = row.name, {"oversampled": True} if row.port == "rp2" else {}
    play(micropython, walker(1, 0, 0), board, **more)
    (tmp_path / "n07" / "exit.json").unlink()
    patch(tmp_path / "n07", f"boards/{board}/board.py", lambda _text: "1 / 0\n")
    run = play(micropython, walker(300, 0, 0), board, **more)
    assert run.codes == [3, 3, 3, 3, 3, 0]
    assert [hello.fw for hello in run.messages("Hello")] == ["safe-0.1.0"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("site = north", "node.json is not JSON"),
        ("[]", "node.json must be a table"),
        ('{"site": "North"}', "wifi must be a table"),
    ],
)
def test_node_with_a_broken_configuration_reports_the_error(
    text: str, cause: str, micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    play(micropython, walker(1, 0, 0))
    (tmp_path / "n07" / "node.json").write_text(text)
    run = play(micropython, walker(20, 0, 0))
    assert run.codes == [3, 3, 3, 0]  # after 5 s, after 10 s, and reports it each time
    assert run.lines[0].startswith(f"node stops cause={cause}")
    assert run.uplinks == []


def test_node_before_a_gateway_that_knows_nothing_closes_the_gap(
    micropython: Path, play: Callable[..., Any], tmp_path: Path
):
    # The first gateway has receipted more than a segment, so its messages are gone for good. The
    # second one waits for them until the node reports that they will not come.
    first = play(micropython, walker(460, 10, 450))
    assert len(made(first.lines)) > 70
    (tmp_path / "n07" / "exit.json").unlink()  # the simulated clock starts again
    second = play(micropython, walker(90, 0, 0))
    gaps = [m for m in second.messages("Condition") if m.kind is ConditionKind.RECORDS_DROPPED]
    assert [(m.boot, m.active) for m in gaps] == [(1, 1)]
    held = [seq for _t_us, space, boot, seq, _m in second.uplinks if (space, boot) == (0, 1)]
    assert gaps[0].value == min(held) - 1
    assert max(held) == len(sent(first))
    # Receipts flow again: nothing is sent twice any more.
    assert [t_us for t_us, space, *_rest in second.uplinks if space == 0][-1] < 60_000_000
