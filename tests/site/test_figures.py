# SPDX-License-Identifier: MIT
"""The shares that `groundwatch site plan` shows are those of the published scores."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.commands.site_plan import DETECTED_PCT

SCORES = Path(__file__).resolve().parents[2] / "docs" / "scores.md"
ROW = re.compile(r"\| person \| calm \| \d+-(\d+) m \| \d+/\d+ \| ([\d.]+) % ")


def test_shares_of_detected_passes_are_those_of_the_scores() -> None:
    published = [(float(m[1]), float(m[2])) for m in ROW.finditer(SCORES.read_text())]
    assert tuple(published) == DETECTED_PCT
