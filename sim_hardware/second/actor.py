# SPDX-License-Identifier: MIT
"""Ground layer: an actor of a scene: what it is, where it goes, and its forces on the ground."""

from dataclasses import dataclass

import numpy as np

from sim_hardware.errors import SimError
from sim_hardware.second import digging, gait, quadruped, vehicle
from sim_hardware.second.strike import Strike
from sim_hardware.second.track import Track

_SMALL = ("dog", "boar")


@dataclass(frozen=True)
class Actor:
    """A person, group, animal, vehicle or digger on a track.

    `kind`: a style of gait.STYLES, a species, a vehicle or a tool. `manner`: the gait of an animal,
    the road class under a vehicle. `count`: people of a group.
    """

    id: str
    kind: str
    track: Track
    manner: str = ""
    count: int = 1

    def __post_init__(self) -> None:
        """Raise SimError for a kind that is unknown or a count that does not fit it."""
        known = (*gait.STYLES, *quadruped.SPECIES, *vehicle.KINDS, *digging.TOOLS)
        if self.kind not in known:
            raise SimError(f"actor {self.id}: kind {self.kind} is unknown: {', '.join(known)}")
        if self.count < 1 or (self.count > 1 and self.kind not in gait.STYLES):
            raise SimError(f"actor {self.id}: count {self.count} does not fit {self.kind}")

    @property
    def class_name(self) -> str:
        """The class in truth: person, group, animal, vehicle or digging."""
        if self.kind in gait.STYLES:
            return "person" if self.count == 1 else "group"
        if self.kind in quadruped.SPECIES:
            return "animal"
        return "vehicle" if self.kind in vehicle.KINDS else "digging"

    @property
    def detail(self) -> str:
        """A detail of the class, for truth; empty for a walker."""
        if self.kind == "walk":
            return ""
        words = {"run": "running", "sneak": "stealth"}
        manner = f" {self.manner}" if self.kind in quadruped.SPECIES else ""
        return words.get(self.kind, self.kind) + manner

    @property
    def small(self) -> bool:
        """Whether a PIR sees less of it than of a person."""
        return self.kind in _SMALL

    def strikes(self, rng: np.random.Generator) -> list[Strike]:
        """Its forces along the track."""
        if self.kind in gait.STYLES:
            if self.count > 1:
                return gait.group(self.kind, self.count, self.track, rng)
            return gait.footfalls(gait.person_gait(self.kind, rng), self.track, rng)
        if self.kind in quadruped.SPECIES:
            one = quadruped.animal(self.kind, self.manner, rng)
            return quadruped.hoofbeats(one, self.track, rng)
        if self.kind in vehicle.KINDS:
            return vehicle.drive(vehicle.vehicle(self.kind, rng), self.manner, self.track, rng)
        return digging.strokes(self.kind, self.track, rng)
