# SPDX-License-Identifier: MIT
"""Questions on a terminal, or lines of a pipe. Standard output stays free for the result."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from gateway.errors import ConfigError
from gateway.files import read_private
from tools.errors import UserError

_T = TypeVar("_T")
_LINE_MAX = 4096
# No letter or digit that looks like another one.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


class Prompts:
    """Asks until the answer is valid. An answer from a pipe is asked for once."""

    def ask(self, question: str, default: str, check: Callable[[str], _T]) -> _T:
        """The checked answer; an empty line is the default. Raises UserError."""
        shown = f"{question} [{default}]: " if default else f"{question}: "
        while True:
            text = self._line(shown).strip() or default
            try:
                return check(text)
            except (UserError, ConfigError) as error:
                self._again(error)

    def secret(self, question: str, check: Callable[[str], _T]) -> _T:
        """Typed twice at a terminal, where it is not shown. Raises UserError."""
        while True:
            text = self._hidden(f"{question}: ")
            try:
                answer = check(text)
            except (UserError, ConfigError) as error:
                self._again(error)
                continue
            if not sys.stdin.isatty() or self._hidden("the same again: ") == text:
                return answer
            print("the two differ", file=sys.stderr)

    def agrees(self, question: str) -> bool:
        """Only `y` and `yes` agree."""
        return self._line(f"{question} [y/N]: ").strip().lower() in ("y", "yes")

    def _line(self, shown: str) -> str:
        print(shown, end="", file=sys.stderr, flush=True)
        try:
            return input()[:_LINE_MAX]
        except EOFError:
            self._ended()

    def _hidden(self, shown: str) -> str:
        if not sys.stdin.isatty():
            return self._line(shown)
        try:
            return getpass.getpass(shown)[:_LINE_MAX]
        except EOFError:
            self._ended()

    def _again(self, error: Exception) -> None:
        if not sys.stdin.isatty():
            raise error
        print(error, file=sys.stderr)

    def _ended(self) -> NoReturn:
        print(file=sys.stderr)
        raise UserError("the input ended before the last answer; nothing was written")


def secret_in(path: Path) -> str:
    """The first line of a file of mode 0600, or of standard input for "-". Raises UserError,
    ConfigError."""
    if str(path) == "-":
        return sys.stdin.readline(_LINE_MAX).rstrip("\r\n")
    try:
        text = read_private(path, _LINE_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    return (text.splitlines() or [""])[0]


def generated() -> str:
    """A passphrase of 79 bits, to be copied from a screen."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)
