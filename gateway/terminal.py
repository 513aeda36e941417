# SPDX-License-Identifier: MIT
"""Terminal: a question to the person at it; the end of the input (^D) is no answer, not a bug."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable

from gateway.errors import ConfigError


def ask_secret(prompt: str) -> str:
    """What was typed, unseen. Raises ConfigError."""
    return _answered(lambda: getpass.getpass(prompt))


def ask(prompt: str) -> str:
    """What was typed. Raises ConfigError."""
    return _answered(lambda: input(prompt))


def _answered(read: Callable[[], str]) -> str:
    try:
        return read()
    except EOFError:
        sys.stderr.write("\n")  # the prompt's line ends
        raise ConfigError("the input ended before an answer: run it again and type one") from None
