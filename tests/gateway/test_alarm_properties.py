# SPDX-License-Identifier: MIT
"""The alarm manager under any sequence of inputs: no alarm that asks is lost, two runs agree."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.alarms import (
    AlarmInput,
    AlarmRules,
    AlarmState,
    EventChanged,
    NodeCondition,
    Tick,
    step,
)
from gateway.alarms.rules import EscalationStep
from gateway.alarms.saved import SavedOverrides, saved_overrides, with_overrides
from gateway.model import text
from gateway.model.actions.acts import (
    Acknowledge,
    AnnounceWalk,
    LiftMask,
    ResumeSchedule,
    SetArming,
    SetMask,
    WithdrawWalk,
    act_from_dict,
    act_to_dict,
)
from gateway.model.alarm import AlarmKind, Change, Disposition
from tests.gateway.alarm_steps import SECTOR_OF, T0, S, event

RULES = AlarmRules(SECTOR_OF, escalation=(EscalationStep(30 * S, "leader", 3),))
NODES = sorted(SECTOR_OF)
SECTORS = sorted(set(SECTOR_OF.values()))
LINE = {AlarmKind.TAMPER, AlarmKind.NODE_LOST, AlarmKind.FORGERY}

numbers = st.integers(1, 6)
places = st.lists(st.sampled_from(SECTORS), min_size=1, max_size=2, unique=True).map(tuple)
ends = st.integers(-10, 400).map(lambda s: T0 + s * S)


@st.composite
def event_changes(draw: st.DrawFn) -> tuple[str, tuple[str, ...], float, bool]:
    nodes = draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=4, unique=True))
    lag_s = draw(st.sampled_from([0.0, 1.0, 300.0]))
    return draw(st.sampled_from(["e1", "e2", "e3"])), tuple(nodes), lag_s, draw(st.booleans())


acts = st.one_of(
    st.builds(Acknowledge, numbers, st.just("eva"), st.none() | st.sampled_from(Disposition)),
    st.builds(SetMask, st.just("eva"), st.just("cows"), ends, places),
    st.builds(LiftMask, numbers, st.just("eva"), st.just("over")),
    st.builds(AnnounceWalk, st.just("eva"), st.just("Ben"), ends, ends, places),
    st.builds(WithdrawWalk, numbers, st.just("eva"), st.just("back")),
    st.builds(SetArming, st.just("eva"), st.sampled_from(SECTORS), st.booleans(),
              st.just("class"), ends),
    st.builds(ResumeSchedule, st.just("eva"), st.sampled_from(SECTORS), st.just("over")),
)  # fmt: skip
conditions = st.builds(
    NodeCondition, st.sampled_from(sorted(LINE, key=lambda k: k.value)), st.sampled_from(NODES),
    st.just("west"), st.just("x"), st.booleans(), st.just("fault"),
)  # fmt: skip
# Long lists, mostly of events, so that an alarm lives for several inputs.
inputs = st.lists(
    st.tuples(
        st.one_of(event_changes(), event_changes(), event_changes(), conditions, acts),
        st.integers(0, 40),
    ),
    min_size=25,
    max_size=60,
)


def run(given_inputs: list[tuple[object, int]], restart: bool = False) -> tuple[AlarmState, list]:
    """State and changes; `restart` takes orders and acts through JSON at every step."""
    state, changes, now_s = AlarmState(), [], 0
    for what, seconds in given_inputs:
        now_s += seconds
        given_input: AlarmInput
        if isinstance(what, tuple):
            name, nodes, lag_s, closed = what
            given_input = EventChanged(event(*nodes, at_s=now_s - lag_s, name=name, closed=closed))
        else:
            given_input = what  # type: ignore[assignment]  # one of the others
        if restart:
            orders = text.parse_json(text.format_json(saved_overrides(state)), SavedOverrides)
            state = with_overrides(AlarmState(state.open, state.closed, state.last_id), orders)
            if not isinstance(given_input, (EventChanged, NodeCondition, Tick)):
                given_input = act_from_dict(json.loads(text.format_json(act_to_dict(given_input))))
        for each in (given_input, Tick()):
            state, made = step(state, RULES, each, T0 + now_s * S)
            changes += made
    return state, changes


SETTINGS = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@SETTINGS
@given(inputs)
def test_alarm_unacknowledged_stays_until_an_operator_acknowledges_it(given_inputs) -> None:
    state, changes = run(given_inputs)
    asking = {c.alarm.id for c in changes if c.alarm.unacknowledged}
    acknowledged = {c.alarm.id for c in changes if c.change is Change.ACKNOWLEDGED}
    assert asking - acknowledged <= {alarm.id for alarm in state.open}
    for change in changes:
        if change.change is Change.ACKNOWLEDGED:
            assert change.by == "eva"


@SETTINGS
@given(inputs)
def test_alarm_of_the_line_is_never_quiet_and_every_number_is_given_once(given_inputs) -> None:
    state, changes = run(given_inputs)
    assert not any(c.alarm.is_suppressed or c.alarm.walk for c in changes if c.alarm.kind in LINE)
    raised = [c.alarm.id for c in changes if c.change is Change.RAISED]
    assert raised == list(range(1, state.last_id + 1))
    ids = [alarm.id for alarm in state.open + state.closed]
    assert len(ids) == len(set(ids))
    assert all(alarm.open for alarm in state.open)
    assert not any(alarm.open for alarm in state.closed)


@SETTINGS
@given(inputs)
def test_alarm_steps_restarted_before_each_input_give_the_same_bytes(given_inputs) -> None:
    first, second = run(given_inputs), run(given_inputs, restart=True)
    assert first == second
    rows = [[text.format_json(c.alarm) for c in r[1]] for r in (first, second)]
    assert rows[0] == rows[1]


@SETTINGS
@given(inputs)
def test_orders_are_over_after_their_longest_time_and_tick_then_changes_nothing(
    given_inputs,
) -> None:
    state, _changes = run(given_inputs)
    later_us = T0 + 30 * 24 * 3600 * S
    state, _changes = step(state, RULES, Tick(), later_us)
    assert (state.masks, state.walks, state.overrides) == ((), (), ())
    again, made = step(state, RULES, Tick(), later_us)
    assert again is state
    assert made == ()
