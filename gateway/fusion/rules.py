# SPDX-License-Identifier: MIT
"""Fusion: the numbers of association, evaluation and confirmation, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.fusion.weights import Weights
from gateway.model.target import TargetClass

# What an operator must know of; an animal is shown on the map only, and so is what no node could
# classify, unless it moves from node to node.
ALARMABLE = frozenset(
    {TargetClass.PERSON, TargetClass.GROUP, TargetClass.VEHICLE, TargetClass.DIGGING}
)

# Nothing of that class moves faster, so nodes further apart detected something else.
SPEED_MAX_M_S = {
    TargetClass.PERSON: 4.0,  # a runner
    TargetClass.GROUP: 4.0,
    TargetClass.DIGGING: 4.0,
    TargetClass.ANIMAL: 15.0,
    TargetClass.VEHICLE: 40.0,
    TargetClass.UNKNOWN: 15.0,
}


@dataclass(frozen=True, slots=True)
class Rules(Weights):
    """Association and confirmation; times in microseconds, distances in metres."""

    # Weights of signs that no fitted site has: they are stated and not fitted. `Weights` holds the
    # fitted ones; both are log-odds for an amount of 1.
    # Plots on the track: their amount is the source's own confidence in log-odds, so 1 believes it.
    plot: float = 1.0
    # Two sources of different kinds agree. As little as `way`, the fitted sign most like it.
    agree: float = 0.4
    # Plots and no node: `prior` is of events that nodes detected, so it does not count here.
    undetected: float = -0.95
    # An event is evaluated once within this time, however many reports come: a quarter of a second
    # is well under the 5 s between a node's reports and under what an operator notices.
    evaluate_us: int = 250_000
    # Two nodes that detect the same thing start within this of each other, at the least spacing in
    # use (25 m) and a walking pace.
    window_us: int = 20_000_000
    # A node that detects something reports every 5 s; after so long without a report, it lost it.
    silence_us: int = 20_000_000
    # A node reports the end 10 s or more after the last step. What comes so long after is new.
    ended_us: int = 8_000_000
    # How late a report may make its event wait for more: a resend, ten to twelve seconds.
    max_late_us: int = 13_000_000
    # A node that never reports the end (it was reset or lost) is taken as silent after this.
    stale_us: int = 45_000_000
    # A footstep is detected this far away, a vehicle further: how far apart two nodes may be.
    reach_m: float = 60.0
    vehicle_reach_m: float = 150.0
    # With a place known this well, nodes that can detect it and nodes that cannot are separable.
    placed_m: float = 25.0
    # Two events nearer than this may be one; they are when one walk costs so little more than two.
    one_cause_reach_m: float = 80.0
    one_cause_cost: float = 4.0
    # One node alone, with its PIR agreeing.
    pir_confidence: float = 0.6
    # Each of two nodes that agree.
    pair_confidence: float = 0.3
    # One node, without PIR: sure, and again in a later report. That it is alone in its sector makes
    # it no surer: on real ground quakes are named a vehicle at 60 to 70 % there.
    sure_confidence: float = 0.75
    sure_reports: int = 2
    # Digging that one node reports is believed after so long, and so many reports 5 s apart.
    enduring_us: int = 60_000_000
    enduring_reports: int = 6
    # A shock starts at all nodes, and at some of them seconds late. As long as each activity may be
    # one, an alarm waits for so long after the newest onset; a node reports one 2 to 3 s later.
    settle_us: int = 6_000_000
    # As long as it takes all nodes to report one quake, where they name it a person or a group.
    settle_gait_us: int = 3_000_000
    # The log-odds from which on an operator is disturbed: 60 %.
    alarm_at: float = 0.4
    # A presence counts for activities this much before or after it: a PIR holds its output for
    # seconds, and a node needs some to be sure.
    presence_us: int = 10_000_000
    # A source's clock may be so far ahead of the gateway's; what is later is not used.
    max_ahead_us: int = 5_000_000
    # A position of authorised persons is used for so long: radios report every 10 to 30 s.
    contact_us: int = 60_000_000
    # A crossing ends at the latest here, so that a stuck node cannot keep one event for ever.
    longest_us: int = 30 * 60_000_000
    # And at so many activities: evaluating an event costs time for each of them.
    max_activities: int = 128
    # Level reports of one activity that are kept: 80 s of them.
    max_levels: int = 16
    # Footfalls of one activity that are kept: twenty seconds of a walk.
    max_footfalls: int = 40
    # Plots of one event that are kept, and how far apart those of one track of one source are: a
    # camera that reports 25 times a second adds little to one that reports twice.
    max_plots: int = 24
    plot_every_us: int = 400_000
    # Presences and contacts of one event, and of all that no event needs yet.
    max_presences: int = 8
    max_contacts: int = 8
    max_recent: int = 128
    # Events kept open at once. The oldest is closed first, one without any node before all others.
    max_open: int = 64
