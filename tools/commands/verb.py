# SPDX-License-Identifier: MIT
"""One line of the table of verbs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """One command. `target` is the "module:attribute" of its click command."""

    name: str
    target: str
    help: str
    example: str
    hidden: bool = False


@dataclass(frozen=True)
class Group:
    """Some commands about one thing.

    `assumed` is the verb that is meant where the words of an earlier version name none: where there
    are no words, or options only, or, with `names_something`, a word that is none of its verbs.
    """

    name: str
    help: str
    assumed: str = ""
    names_something: bool = False
