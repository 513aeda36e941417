# SPDX-License-Identifier: MIT
"""Record: the page on how to record a data set, for `groundwatch record --protocol`."""

from __future__ import annotations

from pathlib import Path

from tools.errors import UserError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recording-protocol.md"


def text() -> str:
    """The whole page. Raises UserError in an installation without the documents."""
    try:
        return PAGE.read_text(encoding="utf-8")
    except OSError:
        raise UserError(
            "this installation has no docs/recording-protocol.md; it is in the project's sources"
        ) from None
