# SPDX-License-Identifier: MIT
"""Cues: nothing moves without confirmation, and nothing after it ended."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.actions.cue import (
    ConfirmCue,
    Cue,
    CueKind,
    CueReport,
    CueState,
    DevicesLost,
    EndCuePolicy,
    ProposeCue,
    SetCuePolicy,
    WithdrawCue,
)
from gateway.monitor import cues
from gateway.monitor.cues import CueInput, CueRules, Cues, CueStep, Tick

T0 = 1_790_000_000_000_000
S = 1_000_000
RULES = CueRules(
    {"mast": frozenset({CueKind.LOOK}), "drone": frozenset({CueKind.LOOK, CueKind.FLY})},
    frozenset({"west", "east"}),
)
LOOK = ProposeCue("eva", "mast", CueKind.LOOK, 10.0, 20.0, 5.0, 60 * S, "west", 7)
FLY = replace(LOOK, device="drone", kind=CueKind.FLY)
POLICY = SetCuePolicy("sam", "west", "mast", "night shift", T0 + 600 * S)


def run(*inputs: CueInput, state: Cues | None = None, now_us: int = T0) -> CueStep:
    """All inputs at one time; the last step with the changes of all."""
    after = CueStep(state or Cues())
    changes = []
    for given_input in inputs:
        after = cues.step(after.state, RULES, given_input, now_us)
        changes += after.changes
    return replace(after, changes=tuple(changes))


def states(after: CueStep) -> list[tuple[str, str]]:
    return [(change.cue.state.value, change.by) for change in after.changes]


def test_look_confirmed_by_one_person_is_carried_out_with_names_and_times() -> None:
    after = run(
        LOOK,
        ConfirmCue(1, "eva"),
        CueReport(1, CueState.SENT),
        CueReport(1, CueState.EXECUTING),
        CueReport(1, CueState.DONE),
    )
    assert states(after) == [
        ("proposed", "eva"),
        ("confirmed", "eva"),
        ("sent", "mast"),
        ("executing", "mast"),
        ("done", "mast"),
    ]
    assert {change.at_us for change in after.changes} == {T0}
    assert after.state.open == {}


def test_flight_needs_two_distinct_people_and_the_proposer_counts_once() -> None:
    after = run(FLY, ConfirmCue(1, "eva"), ConfirmCue(1, " EVA "))
    assert after.state.open[1].state is CueState.PROPOSED
    assert "another must" in after.refused
    after = run(ConfirmCue(1, "sam"), state=after.state)
    assert after.state.open[1].state is CueState.CONFIRMED
    assert after.state.open[1].confirmed_by == ("eva", "sam")


def test_flight_is_never_confirmed_by_a_policy_of_the_sector() -> None:
    after = run(replace(POLICY, device="drone"), FLY)
    assert [state for state, _by in states(after)] == ["proposed"]


def test_look_in_a_sector_with_a_policy_is_confirmed_at_once_in_its_name() -> None:
    after = run(POLICY, replace(LOOK, lasts_us=1200 * S))
    assert states(after) == [("proposed", "eva"), ("confirmed", "policy 1 by sam")]
    (cue,) = after.state.open.values()
    assert cue.expires_us == POLICY.until_us


@pytest.mark.parametrize("change", [{"sector": "east"}, {"device": "drone"}, {"sector": ""}])
def test_look_elsewhere_than_the_policy_names_waits_for_a_person(change: dict[str, str]) -> None:
    after = run(POLICY, replace(LOOK, **change))
    assert [state for state, _by in states(after)] == ["proposed"]


def test_policy_that_ended_confirms_nothing_and_takes_back_what_was_not_sent() -> None:
    after = run(POLICY, LOOK, EndCuePolicy(1, "sam"), LOOK)
    assert [state for state, _by in states(after)] == [
        "proposed",
        "confirmed",
        "withdrawn",
        "proposed",
    ]
    late = run(LOOK, state=run(POLICY).state, now_us=POLICY.until_us)
    assert [state for state, _by in states(late)] == ["proposed"]


@pytest.mark.parametrize("by", ["connector:radar", "Connector:radar", "policy 1 by sam", " ", ""])
def test_confirmation_by_what_is_no_person_is_refused(by: str) -> None:
    after = run(LOOK, ConfirmCue(1, by))
    assert after.refused
    assert after.state.open[1].state is CueState.PROPOSED


def test_cue_expires_while_it_waits_and_is_not_sent_afterwards() -> None:
    state = run(LOOK, ConfirmCue(1, "eva")).state
    after = run(CueReport(1, CueState.SENT), state=state, now_us=T0 + 60 * S)
    assert states(after) == [("expired", "")]
    assert "no cue 1" in after.refused


def test_cue_withdrawn_while_the_device_moves_is_over_and_reports_nothing_more() -> None:
    moving = run(LOOK, ConfirmCue(1, "eva"), CueReport(1, CueState.SENT)).state
    after = run(WithdrawCue(1, "sam", "own patrol"), CueReport(1, CueState.DONE), state=moving)
    assert states(after) == [("withdrawn", "sam")]
    assert after.refused


def test_cue_under_way_at_a_restart_fails_and_one_that_waits_stays() -> None:
    state = run(LOOK, ConfirmCue(1, "eva"), CueReport(1, CueState.SENT), LOOK).state
    after = run(DevicesLost(), state=state)
    assert states(after) == [("failed", "")]
    assert list(after.state.open) == [2]


def test_policy_longer_than_a_shift_or_by_a_connector_is_refused() -> None:
    assert run(replace(POLICY, until_us=T0 + 13 * 3600 * S)).refused
    assert run(replace(POLICY, until_us=T0)).refused
    assert run(replace(POLICY, by="connector:c2")).state.policies == {}


def test_proposals_without_end_are_bounded_and_refused_in_words() -> None:
    after = run(*[LOOK] * (cues.MAX_OPEN + 1))
    assert len(after.state.open) == cues.MAX_OPEN
    assert "withdraw some" in after.refused


@pytest.mark.parametrize(
    "change",
    [
        {"x_m": float("nan")},
        {"error_m": -1.0},
        {"lasts_us": 0},
        {"lasts_us": 3601 * S},
        {"device": "moon"},
        {"kind": CueKind.FLY},
        {"sector": "north"},
        {"by": ""},
    ],
)
def test_proposal_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    after = run(replace(LOOK, **change))
    assert after.refused
    assert after.state == Cues()


def test_cues_survive_a_round_through_json_unchanged() -> None:
    state = run(POLICY, LOOK, FLY, ConfirmCue(3, "eva")).state
    assert len(state.open) == 2 and state.policies
    assert msgspec.json.decode(msgspec.json.encode(state), type=Cues) == state


PEOPLE = st.sampled_from(["eva", "sam", "Eva", "connector:c2", "policy 1 by sam", ""])
NUMBERS = st.integers(0, 6)
INPUTS = st.one_of(
    st.builds(
        ProposeCue,
        PEOPLE,
        st.sampled_from(["mast", "drone", "moon"]),
        st.sampled_from(CueKind),
        st.floats(-100, 100),
        st.floats(-100, 100),
        st.floats(0, 50),
        st.integers(1, 90 * S),
        st.sampled_from(["west", "east", ""]),
    ),
    st.builds(ConfirmCue, NUMBERS, PEOPLE),
    st.builds(WithdrawCue, NUMBERS, PEOPLE),
    st.builds(
        SetCuePolicy,
        PEOPLE,
        st.sampled_from(["west", "east"]),
        st.sampled_from(["mast", "drone"]),
        st.just("because"),
        st.integers(T0, T0 + 200 * S),
    ),
    st.builds(EndCuePolicy, NUMBERS, PEOPLE),
    st.builds(CueReport, NUMBERS, st.sampled_from(CueState)),
    st.builds(DevicesLost, st.sampled_from(["", "mast"])),
    st.just(Tick()),
)
ORDER = {
    None: {CueState.PROPOSED},
    CueState.PROPOSED: {
        CueState.PROPOSED,
        CueState.CONFIRMED,
        CueState.WITHDRAWN,
        CueState.EXPIRED,
    },
    CueState.CONFIRMED: {CueState.SENT, CueState.FAILED, CueState.WITHDRAWN, CueState.EXPIRED},
    CueState.SENT: {CueState.EXECUTING, CueState.DONE, CueState.FAILED, CueState.WITHDRAWN},
    CueState.EXECUTING: {CueState.DONE, CueState.FAILED, CueState.WITHDRAWN},
}


def people(cue: Cue) -> set[str]:
    return {
        name.casefold()
        for name in cue.confirmed_by
        if not name.startswith(("connector:", "policy "))
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(INPUTS, st.integers(0, 30 * S)), max_size=60))
def test_cue_invariants_hold_whatever_comes_in_whatever_order(
    inputs: list[tuple[CueInput, int]],
) -> None:
    state, now_us = Cues(), T0
    seen: dict[int, CueState] = {}
    policies = {}
    for given_input, passed_us in inputs:
        now_us += passed_us
        after = cues.step(state, RULES, given_input, now_us)
        policies |= after.state.policies
        for change in after.changes:
            cue = change.cue
            assert cue.state in ORDER[seen.get(cue.id)]
            if cue.state is CueState.CONFIRMED:
                allowed = cue.policy and policies[cue.policy]
                if cue.kind is CueKind.FLY:
                    assert len(people(cue)) >= 2
                elif allowed:
                    assert allowed.sector == cue.sector and allowed.device == cue.device
                    assert now_us < allowed.until_us
                else:
                    assert people(cue)
            if cue.state is CueState.SENT:
                assert seen[cue.id] is CueState.CONFIRMED and now_us < cue.expires_us
            seen[cue.id] = cue.state
        assert all(not cue.state.final for cue in after.state.open.values())
        assert all(now_us < p.until_us for p in after.state.policies.values())
        state = after.state
