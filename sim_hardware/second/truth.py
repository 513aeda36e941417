# SPDX-License-Identifier: MIT
"""Ground layer: truth.json of a scene: actors, conditions, crossings of the line, passes of nodes.

Audible: in at least one window of 2 s the actor's ground velocity alone has an rms in 10 to 60 Hz
at least 6 dB above that of the node's ambient noise over the whole take. A window starts each
second.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from sim_hardware.second.actor import Actor
from sim_hardware.second.ground import GROUND_FS_HZ
from sim_hardware.second.noise import rms
from sim_hardware.second.track import Point, crossings

Array = NDArray[np.float64]
BAND_HZ = (10.0, 60.0)
WINDOW_S = 2
AUDIBLE_DB = 6.0


def audible_from_s(alone: Array, ambient: Array) -> float | None:
    """Start of the first audible window of a source (n,) at a node with ambient (n,), or None."""
    sos = dsp.butter(4, BAND_HZ, "bandpass", fs=GROUND_FS_HZ, output="sos")
    needed = rms(dsp.sosfilt(sos, ambient)) * 10 ** (AUDIBLE_DB / 20)
    band = dsp.sosfilt(sos, alone)
    for second in range(alone.size // GROUND_FS_HZ - WINDOW_S + 1):
        start = second * GROUND_FS_HZ
        if rms(band[start : start + WINDOW_S * GROUND_FS_HZ]) >= needed:
            return float(second)
    return None


def actor_truth(actor: Actor) -> dict[str, Any]:
    """The row of an actor."""
    path = [[round(t, 3), round(x, 3), round(y, 3)] for t, x, y in actor.track.corners]
    return {
        "id": actor.id,
        "class": actor.class_name,
        "count": actor.count,
        "detail": actor.detail,
        "path": path,
    }


def crossings_truth(actor: Actor, line: list[Point]) -> list[dict[str, Any]]:
    """The rows of an actor's crossings of the line of nodes; the first person of a group counts."""
    return [
        {
            "actor": actor.id,
            "class": actor.class_name,
            "t_s": round(t_s, 3),
            "x_m": round(x_m, 3),
            "y_m": round(y_m, 3),
            "direction_deg": round(bearing, 1) % 360.0,
        }
        for t_s, x_m, y_m, bearing in crossings(actor.track, line)
    ]


def pass_truth(
    actor: Actor, node: str, place: Point, alone: Array, ambient: Array
) -> dict[str, Any]:
    """The row of an actor's closest approach to a node."""
    t_s, distance_m = actor.track.distances(place)
    nearest = int(np.argmin(distance_m))
    since = audible_from_s(alone, ambient)
    row: dict[str, Any] = {
        "actor": actor.id,
        "class": actor.class_name,
        "node": node,
        "t_cpa_s": round(float(t_s[nearest]), 3),
        "distance_m": round(float(distance_m[nearest]), 2),
        "audible": since is not None,
    }
    if since is not None:
        row["audible_from_s"] = since
    return row
