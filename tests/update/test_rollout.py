# SPDX-License-Identifier: MIT
"""The rollout as a pure step: waves, timeouts, stops; and the words that make waves."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from gateway.errors import ConfigError
from gateway.updates.rollout import (
    DONE,
    Begin,
    Ended,
    Hello,
    Input,
    Order,
    Output,
    Reported,
    Requested,
    Rollout,
    Settled,
    Stage,
    Stop,
    Tick,
    WaveBegins,
    plan,
    step,
)
from gateway.updates.service import from_dict, to_dict
from gateway.updates.waves import DEFAULT, waves_of

S = 1_000_000
NOW = 1_000 * S
NODES = [f"n{number:02}" for number in range(1, 9)]


def rollout(*waves: list[str], **more: int) -> Rollout:
    return Rollout(
        command=7,
        digest="00",
        version="0.2.0",
        board="pico_w",
        files=60,
        by="eva",
        nodes=plan(waves),
        **more,
    )


def play(state: Rollout, *inputs: tuple[int, Input]) -> tuple[Rollout, list[Output]]:
    out: list[Output] = []
    for at_s, given in inputs:
        state, outputs = step(state, given, NOW + at_s * S)
        out += outputs
    return state, out


BEGIN = Begin(frozenset())


def test_rollout_started_orders_the_first_wave_only():
    state, out = play(rollout(["n01"], ["n02", "n03"]), (0, BEGIN))
    assert out == [WaveBegins(0, ("n01",)), Order("n01")]
    assert [one.stage for one in state.nodes] == [Stage.ORDERED, Stage.WAITING, Stage.WAITING]


def test_rollout_after_a_wave_is_done_rests_before_the_next():
    started = rollout(["n01"], ["n02", "n03"], soak_s=30)
    state, out = play(started, (0, BEGIN), (9, Reported("n01", 7, "")), (38, Tick()))
    assert out[2:] == [Settled("n01", "")]
    state, out = play(state, (39, Tick()))
    assert out == [WaveBegins(1, ("n02", "n03")), Order("n02"), Order("n03")]
    state, out = play(state, (50, Reported("n03", 7, "")), (51, Reported("n02", 7, "")))
    assert out[-1] == Ended(DONE)
    assert state.ended == DONE


def test_rollout_with_a_failed_node_stops_by_itself():
    state, out = play(rollout(["n01"], ["n02"]), (0, BEGIN), (9, Reported("n01", 7, "failed: no")))
    assert out[-2:] == [Settled("n01", "failed: no"), Ended("stopped by itself: n01 failed")]
    assert play(state, (500, Tick()), (501, Reported("n02", 7, "")))[1] == []


def test_rollout_with_failures_allowed_goes_on_up_to_them():
    state = rollout(["n01"], ["n02"], ["n03"], max_failures=1, soak_s=0)
    state, out = play(state, (0, BEGIN), (1, Reported("n01", 7, "x")), (2, Tick()))
    assert Order("n02") in out
    state, out = play(state, (3, Reported("n02", 7, "y")))
    assert out[-1] == Ended("stopped by itself: n01, n02 failed")


def test_rollout_to_a_silent_node_repeats_the_command_and_then_gives_up():
    state, out = play(rollout(["n01"], node_timeout_s=200), (0, BEGIN), (60, Tick()))
    assert out.count(Order("n01")) == 1
    state, out = play(state, (61, Tick()), (100, Requested("n01", 7, 3)), (160, Tick()))
    assert out == [Order("n01")]
    assert state.nodes[0].file == 3
    state, out = play(state, (201, Tick()))
    assert out[0] == Settled("n01", "not done in 200 s")


def test_hello_of_an_ordered_node_gets_the_command_again_unless_it_is_on_trial():
    state, _out = play(rollout(["n01"], ["n02"]), (0, BEGIN))
    assert play(state, (5, Hello("n01", "0.1.0")))[1] == [Order("n01")]
    assert play(state, (5, Hello("n01", "0.2.0")))[1] == []
    assert play(state, (5, Hello("n02", "0.1.0")))[1] == []
    assert play(state, (5, Hello("n99", "0.1.0")))[1] == []


def test_results_of_other_commands_and_other_nodes_change_nothing():
    state, _out = play(rollout(["n01"], ["n02"]), (0, BEGIN))
    for given in (
        Reported("n01", 6, ""),
        Reported("n02", 7, ""),
        Reported("n99", 7, ""),
        Requested("n01", 6, 9),
    ):
        assert play(state, (5, given)) == (state, [])


def test_rollout_stored_by_an_earlier_version_is_read_with_all_its_values():
    state, _out = play(rollout(["n01"], ["n02"], node_timeout_s=90, max_failures=2), (0, BEGIN))
    stored = to_dict(replace(state, soaked_us=NOW))
    earlier = {
        "max_failures": "failures_most",
        "node_timeout_s": "patience_s",
        "soaked_us": "rested_us",
        "contact_us": "heard_us",
    }
    nodes = [{earlier.get(k, k): v for k, v in node.items()} for node in stored["nodes"]]
    old = {earlier.get(k, k): v for k, v in stored.items()} | {"nodes": nodes}
    assert from_dict(old) == from_dict(stored) == replace(state, soaked_us=NOW)


def test_rollout_of_nodes_that_have_the_version_is_done_at_once():
    state, out = play(rollout(["n01"], ["n02"]), (0, Begin(frozenset({"n01", "n02"}))))
    assert state.ended == DONE
    assert not [word for word in out if isinstance(word, Order)]


def test_rollout_stopped_by_an_operator_orders_no_more_nodes():
    state, _out = play(rollout(["n01"], ["n02"]), (0, BEGIN))
    state, out = play(state, (1, Stop("anna: storm")), (2, Reported("n01", 7, "")))
    assert out == [Ended("stopped: anna: storm")]
    assert state.nodes[1].stage is Stage.WAITING


def test_rollout_under_any_order_of_words_never_orders_ahead_of_its_wave():
    rng = random.Random(9)
    for _ in range(300):
        most = rng.randrange(3)
        state = rollout(NODES[:1], NODES[1:3], NODES[3:], max_failures=most, soak_s=5)
        now_s = 0
        given: Input = BEGIN
        while state.active and now_s < 50_000:
            state, out = step(state, given, NOW + now_s * S)
            for word in out:
                if isinstance(word, Order):
                    one = state.node(word.node)
                    assert one is not None
                    assert one.wave <= state.wave
            settled = {o.wave for o in state.nodes if o.stage in (Stage.WAITING, Stage.ORDERED)}
            assert not settled or min(settled) >= state.wave
            failed = sum(one.stage is Stage.FAILED for one in state.nodes)
            assert failed <= most + 1
            assert (failed > most) <= (not state.active)
            now_s += rng.randrange(60)
            node = rng.choice(NODES)
            given = rng.choice(
                [
                    Tick(),
                    Hello(node, rng.choice(["0.1.0", "0.2.0"])),
                    Requested(node, 7, 2),
                    Reported(node, 7, rng.choice(["", "", "", "failed"])),
                ]
            )
            assert from_dict(to_dict(state)) == state
        assert not state.active


@pytest.mark.parametrize(
    ("words", "waves"),
    [
        (DEFAULT, (NODES[:1], NODES[1:3], NODES[3:])),
        (["n07", "2", "rest"], (["n07"], ["n01", "n02"], ["n03", "n04", "n05", "n06", "n08"])),
        (["n07,n01"], (["n07", "n01"],)),
        (["100%"], (NODES,)),
        (["0", "99", "rest"], (NODES,)),
    ],
)
def test_words_of_waves_take_nodes_in_order(words: list[str], waves: tuple[list[str], ...]):
    assert waves_of(words, NODES) == tuple(tuple(wave) for wave in waves)


@pytest.mark.parametrize("words", [["n99"], ["n01", "n01"], ["101%"], ["0"], [""], ["n01,"], []])
def test_words_of_waves_that_make_no_sense_are_refused(words: list[str]):
    with pytest.raises(ConfigError):
        waves_of(words, NODES)
