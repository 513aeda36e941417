# SPDX-License-Identifier: MIT
"""wire: the one error for bytes that came from outside."""

from __future__ import annotations


class WireError(ValueError):
    """Bytes refused. `reason` is one of the fixed words in docs/wire.md, fit for a counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
