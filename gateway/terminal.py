# SPDX-License-Identifier: MIT
"""Terminal: a question to the person at it, and the name of that person. The end of the input (^D)
is no answer, not a bug."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable

from gateway.errors import ConfigError


def ask_secret(prompt: str) -> str:
    """What was typed, unseen. Raises ConfigError."""
    return _answered(lambda: getpass.getpass(prompt))


def ask(prompt: str) -> str:
    """What was typed. Raises ConfigError."""
    return _answered(lambda: input(prompt))


def login_name() -> str:
    """Of the user who runs this; in a container a user id may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the second from Python 3.13 on
        return f"uid {os.getuid()}"


def _answered(read: Callable[[], str]) -> str:
    try:
        return read()
    except EOFError:
        sys.stderr.write("\n")  # the prompt's line ends
        raise ConfigError("the input ended before an answer: run it again and type one") from None
