# SPDX-License-Identifier: MIT
"""Connectors, sim_camera: cues as commands, and its answers. Pure."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from gateway.model.actions.cue import Cue, CueState

STOP = b'{"do":"stop"}'


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the camera sends: `turning` and then `there`, or `jammed`."""

    cue: int
    state: Literal["turning", "there", "jammed"]


STATES = {
    "turning": CueState.EXECUTING,
    "there": CueState.DONE,
    "jammed": CueState.FAILED,
}


def command(cue: Cue, x_m: float, y_m: float) -> bytes:
    """Azimuth (degrees from north, clockwise) and distance from the camera at (x_m, y_m)."""
    east_m, north_m = cue.x_m - x_m, cue.y_m - y_m
    return msgspec.json.encode(
        {
            "do": "look",
            "cue": cue.id,
            "azimuth_deg": round(math.degrees(math.atan2(east_m, north_m)) % 360, 2),
            "distance_m": round(math.hypot(east_m, north_m), 1),
        }
    )


def parse(data: bytes) -> Answer:
    """Raises ValueError."""
    return msgspec.json.decode(data[:256], type=Answer)
