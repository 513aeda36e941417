# SPDX-License-Identifier: MIT
"""What a check of `groundwatch doctor` found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """One check: "ok", "warning" or "problem", what was found, and the remedy."""

    check: str
    state: str
    found: str
    do: str = ""
