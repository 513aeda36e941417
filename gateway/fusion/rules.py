# SPDX-License-Identifier: MIT
"""The map table: the numbers of association and confirmation, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.fusion.weights import Weights
from gateway.model.target import TargetClass

# What an operator must hear about; an animal is told on the map only.
ALARMABLE = frozenset(
    {TargetClass.PERSON, TargetClass.GROUP, TargetClass.VEHICLE, TargetClass.DIGGING}
)

# Faster than these nothing of that class moves, so nodes further apart heard something else.
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

    # Two nodes that hear the same thing begin to hear it within this of each other, at the least
    # spacing in use (25 m) and a walking pace.
    window_us: int = 20_000_000
    # A node that hears something says so every 5 s; after so long without a word, it has lost it.
    silence_us: int = 20_000_000
    # A node says "end" 10 s or more after the last step. Whoever comes so long after that is new.
    ended_us: int = 8_000_000
    # How late a report may make its event wait for more: a resend, ten to twelve seconds.
    late_most_us: int = 13_000_000
    # A node that never says "end" (it was reset or lost) is taken as silent after this.
    stale_us: int = 45_000_000
    # A footstep is heard this far away, a vehicle further: how far apart two nodes may be at once.
    reach_m: float = 60.0
    vehicle_reach_m: float = 150.0
    # A place known this well says which nodes can hear it and which cannot.
    placed_m: float = 25.0
    # Two events nearer than this may be one; they are when one walk costs so little more than two.
    one_cause_reach_m: float = 80.0
    one_cause_cost: float = 4.0
    # One node alone, with its PIR agreeing.
    pir_confidence: float = 0.6
    # One node alone in its sector: nobody can confirm it, so it must be sure by itself.
    lone_confidence: float = 0.6
    # Each of two nodes that agree.
    pair_confidence: float = 0.3
    # One node among several, without PIR: sure, and again in a later report.
    sure_confidence: float = 0.75
    sure_reports: int = 2
    # The log-odds from which on an operator is disturbed: 3 to 2. On the sites that weights are
    # fitted on no tree came so far, and all came that had grounds and were wanted.
    alarm_at: float = 0.4
    # A crossing ends at the latest here, so that a stuck node cannot keep one event for ever.
    longest_us: int = 30 * 60_000_000
    # And at so many activities: judging an event costs time for each of them.
    activities_most: int = 128
    # Reports of one activity that are kept: 80 s of them.
    sounds_most: int = 16
    # Arrivals of single steps of one activity that are kept: twenty seconds of a walk.
    strikes_most: int = 40
    # Events kept open at once, oldest closed first.
    open_most: int = 64
