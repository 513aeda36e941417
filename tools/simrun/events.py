# SPDX-License-Identifier: MIT
"""Simrun: what simulated nodes print about themselves, as events with a time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Show = Callable[[Event], None]

_LINES = (
    (
        "node_started",
        re.compile(r"node started node=.* boot=(?P<boot>\d+) cause=(?P<cause>\w+) .*"),
    ),
    ("link_up", re.compile(r"link up host=.*")),
    ("link_failed", re.compile(r"link failed cause=(?P<cause>.*)")),
    (
        "onset",
        re.compile(
            r"detection boot=(?P<boot>\d+) seq=(?P<seq>\d+) onset_ms=\d+ phase=onset"
            r" class=(?P<target>\w+) confidence_pct=(?P<confidence_pct>\d+) .*"
        ),
    ),
)
_KEPT = 10_000


class Events:
    """In order, at most 10,000 of them; `linked` are the nodes whose broker let them in.

    Times are seconds of the world, which begins at `zero_s` of the wall clock.
    """

    def __init__(self, show: Show) -> None:
        self.zero_s = time.time()
        self.kept: list[Event] = []
        self.onsets = 0
        self.linked: set[str] = set()
        self.failures: dict[str, str] = {}
        self._show = show

    def take(self, node: str, line: str) -> None:
        """One line that a node printed."""
        for kind, pattern in _LINES:
            match = pattern.fullmatch(line)
            if match is not None:
                self._note({"type": kind, "t_s": self.now_s(), "node": node, **_values(match)})

    def now_s(self) -> float:
        """Seconds of the world."""
        return round(time.time() - self.zero_s, 2)

    def _note(self, event: Event) -> None:
        if event["type"] == "link_up":
            self.linked.add(event["node"])
        elif event["type"] == "link_failed":
            self.failures[event["node"]] = event["cause"]
        elif event["type"] == "onset":
            self.onsets += 1
        if len(self.kept) < _KEPT:
            self.kept.append(event)
        self._show(event)


def _values(match: re.Match[str]) -> Event:
    found: Event = {}
    for name, text in match.groupdict().items():
        found["class" if name == "target" else name] = int(text) if text.isdecimal() else text
    if "confidence_pct" in found:
        found["confidence"] = found.pop("confidence_pct") / 100
    return found
