# SPDX-License-Identifier: MIT
"""Record: the people of a set, by pseudonym, and their consent. Names are in this file only.

`people.toml` is in the folder of the takes and is not part of an exported set.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from gateway.config.reading import read_toml
from tools.errors import UserError

FILE = "people.toml"
_PSEUDONYM = re.compile(r"p\d{2,3}")
# Words with a capital letter that name no person.
_TERMS = frozenset({"PIR", "ESP32", "RP2040"})
_WORD = re.compile(r"\w+")
_NAME_LETTERS = 3  # shorter parts of a name are words as well


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of people.toml. `name` is optional: it is what labels are searched for."""

    id: str
    consented: datetime.date | None = None
    withdrawn: datetime.date | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for an id that is no pseudonym."""
        if not _PSEUDONYM.fullmatch(self.id):
            raise ValueError(f"id {self.id!r} must be p and two or three digits, e.g. p03")


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    person: list[Person] = []


@dataclass(frozen=True)
class People:
    """The list, by pseudonym."""

    by_id: dict[str, Person]

    def consent_problem(self, ids: Iterable[str]) -> str:
        """Why these people's takes may not be published; empty where they may."""
        for one in ids:
            person = self.by_id.get(one)
            if person is None:
                return f"{one} is not in {FILE}"
            if person.consented is None:
                return f"{FILE} has no consent of {one}: add consented = 2026-05-03"
            if person.withdrawn is not None:
                return f"{one} withdrew the consent on {person.withdrawn}"
        return ""

    def named_in(self, text: str, may_be_name: bool = True) -> str:
        """The first word of a text that names a person; empty for none.

        Labels are written in lower case, so any other word with a capital letter may be a name.
        With `may_be_name` False this is not checked: the text is the type of a part.
        """
        names = {name for name, _ in self._names()}
        for match in _WORD.finditer(text):
            word = match[0]
            is_unknown = _PSEUDONYM.fullmatch(word) and word not in self.by_id
            is_capital = word[0].isupper() and word not in _TERMS
            if word.casefold() in names or is_unknown or (may_be_name and is_capital):
                return word
        return ""

    def pseudonymised(self, text: str) -> str:
        """The text with each name that the list holds replaced by its pseudonym."""
        ids = dict(self._names())
        return _WORD.sub(lambda match: ids.get(match[0].casefold(), match[0]), text)

    def _names(self) -> list[tuple[str, str]]:
        return [
            (match[0].casefold(), person.id)
            for person in self.by_id.values()
            for match in _WORD.finditer(person.name)
            if len(match[0]) >= _NAME_LETTERS
        ]


def read_people(folder: Path) -> People:
    """The list in a folder of takes, empty where there is none. Raises UserError, ConfigError."""
    path = folder / FILE
    if not path.exists():
        return People({})
    rows = read_toml(path, _File).person
    found: dict[str, Person] = {}
    for person in rows:
        if person.id in found:
            raise UserError(f"{path}: {person.id} is there twice")
        found[person.id] = person
    return People(found)


def parse_people(text: str | None) -> list[str]:
    """`p01,p03`. Raises UserError."""
    ids = [one.strip() for one in (text or "").split(",") if one.strip()]
    for one in ids:
        if not _PSEUDONYM.fullmatch(one):
            raise UserError(f"--people {one!r} must be pseudonyms, e.g. --people p01,p03")
    if len(set(ids)) != len(ids):
        raise UserError("--people names one person twice")
    return ids
