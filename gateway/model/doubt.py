# SPDX-License-Identifier: MIT
"""Model: something about the gateway itself that only a person can settle."""

from __future__ import annotations

import msgspec


class Doubt(msgspec.Struct, frozen=True):
    """`id` is "clock" or "store"; `text` is one line: what is doubted, and what is missing."""

    id: str
    since_us: int
    text: str
