# SPDX-License-Identifier: MIT
"""Firmware as it travels: a fifth of the sources is comments, which a node has no use for.

Lines stay where they are, so that what a node prints of an error names the line of the source; and
the licence stays in every file, as it asks to.
"""

from __future__ import annotations

import io
import tokenize
from functools import cache

_STAYS = "# SPDX-"


@cache
def uncommented(source: bytes) -> bytes:
    """The same program without its comments. Raises tokenize.TokenError, SyntaxError when it is
    no Python."""
    text = source.decode()
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(_STAYS):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    return "\n".join(lines).encode()
