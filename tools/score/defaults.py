# SPDX-License-Identifier: MIT
"""Score: default values of the verbs' options; imported by their help, so nothing heavy is here."""

from __future__ import annotations

from pathlib import Path

HELD_OUT = Path(__file__).with_name("held_out.toml")
OBSERVED = Path("build/observed")  # what nodes reported of worlds, kept for the next run
WEIGHTS = Path("gateway/fusion/weights.py")
CONFIDENCE_DOC = Path("docs/confidence.md")
POLICIES_DOC = Path("docs/policies.md")
FIT_SITES, FIT_HOURS = 400, 0.25
