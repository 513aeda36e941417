# SPDX-License-Identifier: MIT
"""The budget of a node: every row has a source, and the sum is worked out by hand."""

from __future__ import annotations

import math

import pytest

from tools.power.budget import Use, budget, sentinels
from tools.power.facts import Curve, batteries, boards, parts, regulators

USES = (Use("continuous", "always"), Use("continuous", "burst"), Use("sentinel", "burst"))


CASES = [
    (board, use) for use in USES for board in boards() if board in sentinels() or use != USES[2]
]


@pytest.mark.parametrize(("board", "use"), CASES, ids=str)
def test_rows_of_each_board_and_mode_have_a_kind_a_source_and_a_sum(board, use):
    spent = budget(board, use)
    assert all(row.source and row.kind and row.mw >= 0 for row in spent.rows)
    assert spent.mw == pytest.approx(math.fsum(row.mw for row in spent.rows))
    assert spent.wh_per_day == pytest.approx(spent.mw * 0.024)


def test_pico_w_with_its_radio_on_is_45_ma_at_5_v_and_its_parts():
    by_hand = 45 * 5 + 199 * 5 * (24 + 1440) * 0.005 / 86_400
    by_hand += (34 + 16.5 + 66 + 18.5 + 6) * 3.3 / 1000 / 0.9
    assert budget("pico_w", Use("continuous", "always")).mw == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("sleep", "asleep_ma", "start_s"), [("light", 0.26, 0), ("deep", 0.008, 4)]
)
def test_sentinel_of_an_esp32_s3_is_worked_out_by_hand(sleep, asleep_ma, start_s):
    radio_s = (24 + 24) * 3.0
    awake_s = 24 * 30 + (24 + 24) * start_s
    asleep_s = 86_400 - radio_s - awake_s
    rail = asleep_ma * asleep_s + 31.7 * awake_s + 153 * radio_s
    rail += (0.585 + 0.073) * (awake_s + radio_s) + (0.0004 + 0.0033) * asleep_s
    rail += (0.0051 + 0.0185 + 0.006) * 86_400
    by_hand = rail / 86_400 * 3.3 / 0.9 + 0.075 * 3.3 / 1000
    use = Use("sentinel", "burst", sleep=sleep)
    assert budget("esp32_s3", use).mw == pytest.approx(by_hand, rel=1e-9)


def test_board_that_no_pin_wakes_has_no_sentinel_budget():
    with pytest.raises(ValueError, match="no pin wakes"):
        budget("pico_w", USES[2])


@pytest.mark.parametrize("board", sentinels())
def test_sleeping_more_never_costs_more(board):
    always, burst, sentinel = (budget(board, use).mw for use in USES)
    assert sentinel < burst < always


def test_more_wake_ups_and_longer_bursts_cost_more():
    few = Use("sentinel", "burst")
    assert budget("esp32", Use("sentinel", "burst", wakes_per_day=100)).mw > budget("esp32", few).mw
    longer = Use("continuous", "burst", burst_s=20)
    assert budget("esp32", longer).mw > budget("esp32", Use("continuous", "burst")).mw


def test_shares_of_a_day_are_never_more_than_a_day():
    worst = Use("sentinel", "burst", 100_000, 10_000, 3600, 10, 120)
    rows = budget("esp32_s3", worst).rows
    assert rows[0].mw == 0
    assert sum(row.mw for row in rows[:3]) <= 153 * 3.3 / 0.9


def test_figures_of_the_pico_w_that_are_computed_follow_from_their_sources():
    board = boards()["pico_w"]
    radio = 0.9 * 43 + 0.1 * 271
    assert board.burst_ma.value == pytest.approx(21 + radio * 3.3 / 0.9 / 5, abs=0.6)
    assert board.send_ma.value == pytest.approx(271 * 3.3 / 0.9 / 5, abs=0.6)


@pytest.mark.parametrize(
    ("name", "rx", "tx"), [("esp32_s3", 95, 355), ("esp32", 110, 233), ("esp32_c3", 84, 335)]
)
def test_figures_of_esp32_boards_that_are_computed_follow_from_their_sources(name, rx, tx):
    board = boards()[name]
    assert board.burst_ma.value == pytest.approx(board.run_ma.value + 0.9 * rx + 0.1 * tx, abs=0.6)
    listening = board.run_ma.value + rx * 3 / 102.4
    assert board.always_ma.value == pytest.approx(listening, abs=0.1)


def test_names_of_parts_and_regulators_in_boards_are_rows_of_the_table():
    for board in boards().values():
        named = {*board.sampling, *board.awake, *board.resting, *board.asleep, *board.sentinel}
        assert named <= set(parts())
        assert board.regulator in regulators()


def test_curve_is_straight_between_points_and_level_outside():
    curve = Curve(((-20, 0.5), (0, 0.9), (20, 1.0)), "assumed", "a test of it")
    assert [curve.at(x) for x in (-40, -20, -10, 0, 10, 20, 40)] == pytest.approx(
        [0.5, 0.5, 0.7, 0.9, 0.95, 1.0, 1.0]
    )


def test_batteries_give_less_in_the_cold_and_never_more_than_they_hold():
    for kind in batteries().values():
        shares = [share for _, share in kind.capacity.points]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert (kind.cell_ah is None) == (kind.charge_from_c is not None)
