# SPDX-License-Identifier: MIT
"""Weights of evidence: found again from events made by them, and bounded by what makes sense."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from gateway.fusion.evidence.signs import KINDS, Sign, odds
from gateway.fusion.rules import Rules
from gateway.fusion.weights import Weights
from sim_hardware.world import load
from tools.errors import UserError
from tools.score.confidence import SUITE, Sample, fit, samples, table
from tools.score.observe import observe_world
from tools.score.suite import HELD_OUT, read_suite
from tools.train.cli import SITES_MOST
from tools.train.sites import VALIDATION_SOILS


def made(count: int, **weights: float) -> list[Sample]:
    """Events with one sign each, or none, wanted as often as these weights say."""
    rng = np.random.default_rng(3)
    found = []
    for number in range(count):
        kind = (*weights, "")[number % (len(weights) + 1)]
        signs = tuple(float(one == kind) for one in KINDS)
        chance = 1 / (1 + math.exp(-(weights.get(kind, 0.0) - 0.5)))
        found.append(Sample(f"e{number}", signs, bool(rng.random() < chance), 1.0))
    return found


def test_weights_are_found_again_from_many_events() -> None:
    found = fit(made(6000, sure=2.0, digging=-1.5))
    assert found["prior"] == pytest.approx(-0.5, abs=0.15)
    assert found["sure"] == pytest.approx(2.0, abs=0.25)
    assert found["digging"] == pytest.approx(-1.5, abs=0.25)


def test_sign_that_no_event_had_keeps_what_is_expected_of_it() -> None:
    assert fit(made(600, sure=2.0))["far"] == -7.28


def test_reason_for_an_alarm_never_weighs_against_it() -> None:
    found = fit(made(6000, pair=-2.0, noisy=2.0))
    assert found["pair"] == 0 and found["noisy"] == 0


def test_events_of_one_kind_alone_are_refused() -> None:
    with pytest.raises(UserError, match="one kind"):
        fit([one for one in made(50, sure=2.0) if one.is_wanted])


def test_table_is_a_module_that_holds_the_weights(tmp_path: Path) -> None:
    given = made(600, sure=2.0, pir=1.0)
    path = tmp_path / "weights.py"
    path.write_text(table(fit(given), given), encoding="utf-8")
    made_weights = runpy.run_path(str(path))["Weights"]()
    assert {kind: getattr(made_weights, kind) for kind in KINDS} == {
        kind: value for kind, value in fit(given).items() if kind != "prior"
    }


def test_odds_add_up_and_rules_carry_the_weights() -> None:
    weights = Weights(prior=-1.0, node=0.5, noisy=-2.0)
    assert odds(weights, [Sign("node", 3.0), Sign("noisy", 1.0)]) == pytest.approx(-1.5)
    assert Rules().prior == Weights().prior


def test_sites_of_the_fit_are_none_of_the_held_out_or_the_models() -> None:
    held_out, own = read_suite(HELD_OUT), read_suite(SUITE)
    soils = {job.scenario.soil for job in own}
    assert not soils & {*VALIDATION_SOILS, *(job.scenario.soil for job in held_out)}
    seeds = {job.seed for job in own}
    assert not seeds & {job.seed for job in held_out}
    assert min(seeds) > SITES_MOST  # the model's ground is drawn, so only its sites are others


def test_samples_of_a_walk_are_wanted_and_weigh_one_an_event(micropython: Path) -> None:
    found = samples(observe_world(load(Path("night_walker_two_nodes")), 5, 100, micropython))
    assert found and all(one.is_wanted for one in found)
    for event in {one.event for one in found}:
        assert sum(one.weight for one in found if one.event == event) == pytest.approx(1.0)
    assert all(one.signs[KINDS.index("node")] > 0 for one in found)
