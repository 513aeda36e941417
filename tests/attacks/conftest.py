# SPDX-License-Identifier: MIT
"""The attack suite: what each attack tried, what came in, and whether somebody was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Report:
    """Lines of figures, printed when the suite has run (`make attacks`)."""

    lines: list[str] = field(default_factory=list)

    def add(self, attack: str, tried: int, accepted: int, told: str, known: int = 0) -> None:
        """One attack: how often tried, how much of it came in, what the operator was told; `known`
        is what cannot be kept out."""
        self.lines.append(f"{attack:<34} {tried:>4} tried {accepted:>2} accepted  {told}")
        assert accepted == known, self.lines[-1]


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """The suite's figures."""
    made = Report()
    yield made
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(made.lines))  # noqa: T201  # the figures are what the suite is for
