# SPDX-License-Identifier: MIT
"""Batches of files: a bad one is named and left out, the others are done; exit code 1 sums up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tools.errors import UserError

_T = TypeVar("_T")
EXIT_SOME_REFUSED = 1


@dataclass(frozen=True)
class Refused:
    """A file that could not be used, and why, in one line that names it."""

    file: str
    problem: str

    def to_json(self) -> dict[str, str]:
        """One line of the output for programs."""
        return {"type": "refused", "file": self.file, "problem": self.problem}


def attempt(do: Callable[..., _T], *arguments: Any) -> _T | Refused:
    """What `do` returns for the file that is its first argument, or why it refuses it."""
    from sim_hardware.errors import SimError

    try:
        return do(*arguments)
    except (SimError, UserError) as error:
        return Refused(str(arguments[0]), " ".join(str(error).split()))


def divided(results: Sequence[_T | Refused]) -> tuple[list[_T], list[Refused]]:
    """What was done, and what was refused. Raises UserError where nothing was done."""
    done = [one for one in results if not isinstance(one, Refused)]
    refused = [one for one in results if isinstance(one, Refused)]
    if refused and not done:
        more = f"; {len(refused) - 1} more were refused too" if len(refused) > 1 else ""
        raise UserError(f"{refused[0].problem}{more}")
    return done, refused


def sum_up(done: int, refused: Sequence[Refused]) -> int:
    """Name each refused file on stderr; return the exit code."""
    for one in refused:
        print(f"refused: {one.problem}", file=sys.stderr)
    if refused:
        print(f"{done} done, {len(refused)} refused", file=sys.stderr)
    return EXIT_SOME_REFUSED if refused else 0
