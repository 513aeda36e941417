# SPDX-License-Identifier: MIT
"""The attack suite: what each attack tried, what was accepted, and what the operator was shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Report:
    """Lines of figures, printed when the suite has run (`make attacks`)."""

    lines: list[str] = field(default_factory=list)

    def add(self, attack: str, tried: int, accepted: int, notified: str, known: int = 0) -> None:
        """One attack: messages tried and accepted, and the notification of the operator. `known`
        messages cannot be refused."""
        self.lines.append(f"{attack:<34} {tried:>4} tried {accepted:>2} accepted  {notified}")
        assert accepted == known, self.lines[-1]


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """The suite's figures."""
    made = Report()
    yield made
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(made.lines))  # noqa: T201  # the figures are the suite's result
