# SPDX-License-Identifier: MIT
"""Fusion: what an observation type defines so that fusion can take it.

A new type is a subclass of `Kind` in a module of its own and one line in `registry`. Every method
has a default that adds nothing, so a type defines only what it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.fusion.estimate.measurements import Rows
from gateway.fusion.estimate.modes import Path
from gateway.fusion.evidence.signs import Sign
from gateway.fusion.rules import Rules
from gateway.fusion.state import FusionState
from gateway.model.event import Event
from gateway.model.place.site import Site
from gateway.model.target import TargetClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the observation: the site, the rules, the state before it, the time."""

    site: Site
    rules: Rules
    state: FusionState
    now_us: int


class Kind(Generic[T]):
    """One observation type. Stateless: all that it remembers is in FusionState and in Event."""

    observation: type[T]
    joins = False  # it belongs to one event: `merge` takes it in, `opens` may start one
    recalled = False  # it is kept in the state and `recall` adds it to every event that it fits
    evaluates = True  # an event that it changed is evaluated again: it changes place or evidence
    needs_place = False  # association compares places: pending events are evaluated before

    # Taking it in.

    def accepts(self, context: Context, given: T) -> bool:
        """Whether it is usable at all: its node is placed, its numbers are finite."""
        return True

    def note(self, context: Context, given: T) -> FusionState:
        """The state with what is kept of it whatever the events; the same object if nothing is."""
        return context.state

    def span(self, given: T) -> tuple[int, int]:
        """The time that it is about: from and to, UTC microseconds."""
        raise NotImplementedError

    # Association of one that joins an event.

    def is_same(self, event: Event, context: Context, given: T) -> bool:
        """Whether it belongs to this event for certain: a known activity or track number."""
        return False

    def gate(self, event: Event, context: Context, given: T) -> bool:
        """Whether time, class and distances let the event be its cause: cheap, without a place."""
        return False

    def cost(self, event: Event, context: Context, given: T) -> float | None:
        """How badly the place of an event within the gate explains it; None: not at all."""
        return None

    def opens(self, context: Context, given: T) -> bool:
        """Whether it starts an event where none explains it."""
        return False

    def start(self, context: Context, given: T) -> tuple[float, float, float]:
        """Place and error (metres) of an event that it starts, until that is evaluated."""
        raise NotImplementedError

    def merge(self, event: Event, context: Context, given: T) -> Event:
        """The event with the observation in it, not evaluated."""
        return event

    # Evaluation.

    def recall(self, event: Event, context: Context) -> Event:
        """The event with what the state keeps of this type and the event needs; the same object if
        that is nothing new."""
        return event

    def combine(self, event: Event, other: Event, context: Context) -> Event:
        """The event with all of this type that another one holds: both have one cause."""
        return event

    def rows(self, event: Event, context: Context, busy: Collection[str], at_us: int) -> Rows:
        """What it adds to the estimator; `busy` nodes have a running activity in other events."""
        return Rows()

    def votes(self, event: Event) -> Mapping[TargetClass, float]:
        """Confidence in each class."""
        return {}

    def signs(
        self, event: Event, context: Context, target: TargetClass, path: Path | None
    ) -> Iterable[Sign]:
        """Evidence for and against the event as one of `target`, with reasons."""
        return ()
