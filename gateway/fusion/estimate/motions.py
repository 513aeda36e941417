# SPDX-License-Identifier: MIT
"""Fusion: how each class moves, and how loud it is beside a walker."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.target import TargetClass

_RUNNER_HZ = 2.4  # steps a second from which on it is a run (walks are 1.3 to 2.4)


@dataclass(frozen=True, slots=True)
class Motion:
    """Speed and its deviation; `accel_m_s2` is how far from a straight line it goes, and so how
    fast old reports fade. Levels are relative to a walker's at 1 m. `exponent`, `absorption_per_m`:
    where the attenuation is not that of steps."""

    speed_m_s: float
    sigma_m_s: float
    accel_m_s2: float
    louder_db: float = 0.0
    sigma_db: float = 0.0
    exponent: float | None = None
    absorption_per_m: float | None = None


# People walk 1.3 to 1.4 m/s when free to, 0.25 apart; a little more for loads and the dark.
_WALK = Motion(1.35, 0.35, 0.01)
_RUN = Motion(3.0, 0.8, 0.03)
_MOTIONS = {
    TargetClass.PERSON: _WALK,
    TargetClass.GROUP: Motion(1.3, 0.35, 0.01, louder_db=4.0, sigma_db=3.0),
    TargetClass.ANIMAL: Motion(1.5, 1.2, 0.05, louder_db=3.0, sigma_db=8.0),
    # He stands where he digs; the strokes are as loud as steps.
    TargetClass.DIGGING: Motion(0.05, 0.1, 0.0, louder_db=3.0, sigma_db=8.0),
    # The rumble of a vehicle is lower than a step and carries further.
    TargetClass.VEHICLE: Motion(
        8.0, 4.0, 0.1, louder_db=25.0, sigma_db=10.0, exponent=0.9, absorption_per_m=0.012
    ),
    TargetClass.UNKNOWN: Motion(1.35, 0.8, 0.02, sigma_db=6.0),
}


def motion_of(target: TargetClass, cadence_hz: float) -> Motion:
    """The model for a class; the cadence separates a run from a walk."""
    if target is TargetClass.PERSON and cadence_hz >= _RUNNER_HZ:
        return _RUN
    return _MOTIONS[target]
