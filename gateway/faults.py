# SPDX-License-Identifier: MIT
"""Faults of the gateway's own parts: counted here, and on their way to the log as conditions.

Whatever fails outside a step of the monitor is reported here. The first stage takes what is due and
appends it to the log, so that it becomes an alarm like any other and replay gives the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

_LOG = logging.getLogger(__name__)
QUIET_US = 60_000_000  # the same part again within it is counted only
MAX_PARTS = 256  # reports that wait, and parts whose last report is remembered


class Condition(NamedTuple):
    """`part` failed, or works again. `node`: the node whose message was concerned, if any."""

    part: str
    node: str
    active: bool
    reason: str


class _Report(NamedTuple):
    node: str
    reason: str
    problem: BaseException | None


class Faults:
    """`counts` counts by part. A part is named in a few words: "updates", "task monitor"."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._waiting: dict[str, _Report] = {}
        self._failing: dict[str, str] = {}  # parts that fail, and why
        self._shown: dict[str, str] = {}  # of those, what the log holds
        self._reported_us: dict[str, int] = {}

    def report(self, part: str, problem: BaseException | str, node: str = "") -> None:
        """It failed once and goes on: an alarm that stays until it is acknowledged."""
        self._count(part)
        if part not in self._waiting and len(self._waiting) < MAX_PARTS:
            error = problem if isinstance(problem, BaseException) else None
            self._waiting[part] = _Report(node, f"{part} failed: {_named(problem)}", error)

    def state(self, part: str, problem: str) -> None:
        """`failing`, or `works` where there is no problem."""
        if problem:
            self.failing(part, problem)
        else:
            self.works(part)

    def count(self, part: str, problem: BaseException) -> None:
        """It failed; the caller raises the alarm."""
        self._count(part)
        _LOG.error("%s failed", part, exc_info=problem)

    def failing(self, part: str, problem: BaseException | str) -> None:
        """It fails until `works` is called: an alarm that is active so long."""
        if part not in self._failing:
            self._count(part)
            self._failing[part] = f"{part} fails: {_named(problem)}"
            _LOG.error(
                "%s fails: %s", part, _named(problem),
                exc_info=problem if isinstance(problem, BaseException) else None,
            )  # fmt: skip

    def works(self, part: str) -> None:
        """It works; also of one that did all the time. What nothing has seen fail did fail once."""
        reason = self._failing.pop(part, None)
        if reason is not None and part not in self._shown:
            self._waiting.setdefault(part, _Report("", reason, None))

    @contextmanager
    def guard(self, part: str) -> Iterator[None]:
        """What raises within is reported and goes no further."""
        try:
            yield
        except Exception as problem:
            self.report(part, problem)

    @contextmanager
    def watch(self, part: str) -> Iterator[None]:
        """The same for what is done again and again: one alarm until it works."""
        try:
            yield
        except Exception as problem:
            self.failing(part, problem)
        else:
            self.works(part)

    def take(self, now_us: int) -> list[Condition]:
        """What is due since the last call, in order."""
        due: list[Condition] = []
        waiting, self._waiting = self._waiting, {}
        for part, report in waiting.items():
            if abs(now_us - self._reported_us.pop(part, -QUIET_US)) < QUIET_US:
                self._reported_us[part] = now_us
                continue
            self._reported_us[part] = now_us
            _LOG.error("%s", report.reason, exc_info=report.problem)
            due += [Condition(part, report.node, active, report.reason) for active in (True, False)]
        while len(self._reported_us) > MAX_PARTS:
            del self._reported_us[next(iter(self._reported_us))]
        for part in [part for part in self._shown if part not in self._failing]:
            due.append(Condition(part, "", False, self._shown.pop(part)))
        for part, reason in self._failing.items():
            if part not in self._shown:
                self._shown[part] = reason
                due.append(Condition(part, "", True, reason))
        return due

    def _count(self, part: str) -> None:
        known = part in self.counts or len(self.counts) < MAX_PARTS
        self.counts[part if known else "others"] += 1


def _named(problem: BaseException | str) -> str:
    """Without the text of an exception: that may hold what the other side wrote."""
    return problem if isinstance(problem, str) else type(problem).__name__
