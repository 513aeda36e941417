# SPDX-License-Identifier: MIT
"""Weights of evidence: recovered from events generated with them, and bounded."""

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
from tools.score.confidence import samples
from tools.score.nuisances import FIRST_SEED, sites
from tools.score.observe import observe_world
from tools.score.reliability import bins, ece, page
from tools.score.suite import HELD_OUT, read_suite
from tools.score.weighing import Choice, Sample, chosen, fit, table
from tools.train.cli import MAX_SITES


def made(count: int, **weights: float) -> list[Sample]:
    """Events with one sign each, or none, wanted with the odds of these weights."""
    rng = np.random.default_rng(3)
    found = []
    for number in range(count):
        kind = (*weights, "")[number % (len(weights) + 1)]
        signs = tuple(float(one == kind) for one in KINDS)
        chance = 1 / (1 + math.exp(-(weights.get(kind, 0.0) - 0.5)))
        site = f"s{number % 7}"
        found.append(Sample(site, f"e{number}", signs, bool(rng.random() < chance), 1.0))
    return found


def test_weights_of_many_events_are_those_that_generated_them() -> None:
    found = fit(made(6000, sure=2.0, digging=-1.5))
    assert found.prior == pytest.approx(-0.5, abs=0.15)
    assert found.sure == pytest.approx(2.0, abs=0.25)
    assert found.digging == pytest.approx(-1.5, abs=0.25)


def test_sign_that_no_event_had_keeps_its_stated_weight() -> None:
    assert fit(made(600, sure=2.0)).far == -6.0


def test_reason_for_an_alarm_never_weighs_against_it() -> None:
    found = fit(made(6000, pair=-2.0, noisy=2.0))
    assert found.pair == 0.3  # another node counts at least so much
    assert found.noisy == 0


def test_events_of_one_kind_alone_are_refused() -> None:
    with pytest.raises(UserError, match="one kind"):
        fit([one for one in made(50, sure=2.0) if one.is_wanted])


def test_product_of_two_signs_has_a_weight_only_where_held_out_sites_gain_by_it() -> None:
    rng = np.random.default_rng(4)
    plain, joint = [], []
    for number in range(3000):
        pair = (float(rng.random() < 0.5), float(rng.random() < 0.5))
        signs = tuple(dict(zip(("pair", "lasting"), pair, strict=True)).get(k, 0.0) for k in KINDS)
        for found, gain in ((plain, 0.0), (joint, 3.0)):
            chance = 1 / (1 + math.exp(1.0 - gain * pair[0] * pair[1]))
            wanted = bool(rng.random() < chance)
            found.append(Sample(f"s{number % 10}", f"e{number}", signs, wanted, 1.0))
    assert chosen(plain).weights.products == ()
    ((one, other, weight),) = chosen(joint).weights.products
    assert (one, other) == ("pair", "lasting") and weight > 1


def test_table_is_a_module_that_holds_the_weights(tmp_path: Path) -> None:
    given = made(600, sure=2.0, pir=1.0)
    path = tmp_path / "weights.py"
    weights = fit(given, products=(("pair", "lasting"),))
    path.write_text(table(weights, given), encoding="utf-8")
    made_weights = runpy.run_path(str(path))["Weights"]()
    for kind in ("prior", "products", *KINDS):
        assert getattr(made_weights, kind) == getattr(weights, kind)


def test_reliability_of_a_fit_to_many_events_is_close_to_what_it_states() -> None:
    given = made(6000, sure=2.0, digging=-1.5)
    choice = Choice(fit(given), 5.0, ())
    found = bins(choice, given)
    assert sum(one.events for one in found) == pytest.approx(6000)
    assert ece(found) < 0.03
    assert "goal: at most 0.05: reached" in page(choice, given, given, 7)


def test_odds_add_up_and_rules_carry_the_weights() -> None:
    weights = Weights(prior=-1.0, node=0.5, noisy=-2.0)
    assert odds(weights, [Sign("node", 3.0), Sign("noisy", 1.0)]) == pytest.approx(-1.5)
    assert Rules().prior == Weights().prior


def test_sites_of_the_fit_are_none_of_the_held_out_or_the_models() -> None:
    own = sites(12, 0.25)
    assert {job.seed for job in own} == set(range(FIRST_SEED, FIRST_SEED + 12))
    assert max(MAX_SITES, *(job.seed for job in read_suite(HELD_OUT))) < FIRST_SEED
    assert {bool("busy" in job.scenario.name) for job in own} == {True, False}
    assert repr(own) == repr(sites(12, 0.25))


def test_samples_of_a_walk_are_wanted_and_weigh_one_an_event(micropython: Path) -> None:
    found = samples(observe_world(load(Path("night_walker_two_nodes")), 5, 100, micropython))
    # The last reports of an activity may come when the walker is out of reach.
    assert found[0].is_wanted and sum(one.is_wanted for one in found) >= 0.9 * len(found)
    for event in {one.event for one in found}:
        assert sum(one.weight for one in found if one.event == event) == pytest.approx(1.0)
    assert all(one.signs[KINDS.index("node")] > 0 for one in found)
