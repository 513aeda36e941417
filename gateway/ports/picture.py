# SPDX-License-Identifier: MIT
"""Ports: the picture: everything that is true now, by kind and id, with a version for each change.

It is level and not edge: each reader remembers the version it has seen and asks what is different
since. One that was away for long is given the whole picture. Memory is bounded by what is there,
and by `REMOVED_MAX` names of what is gone; a slow reader costs nothing and delays no other.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

REMOVED_MAX = 10_000

Key = tuple[str, str]


class Change(NamedTuple):
    """What is true now of one thing; `value` is None when it is gone."""

    kind: str
    id: str
    value: Any


class Delta(NamedTuple):
    """Changes up to `version`, oldest first. `whole`: everything that is not named is gone."""

    version: int
    whole: bool
    changes: list[Change]


class Picture:
    """Written by the gateway, read by consoles, the API and connectors, in one event loop."""

    def __init__(self) -> None:
        self.version = 0
        self._entries: OrderedDict[Key, tuple[int, Any]] = OrderedDict()
        self._present: defaultdict[str, set[str]] = defaultdict(set)  # ids by kind
        self._removed = 0
        self._complete_from = 0  # what was removed up to this version is forgotten
        self._changed = asyncio.Event()

    def put(self, kind: str, id: str, value: Any) -> None:  # noqa: A002  # the field's word
        """This is true now. `value` is never None and never altered afterwards."""
        key = (kind, id)
        known = self._entries.get(key)
        if known is not None:
            if known[1] == value:
                return
            self._removed -= known[1] is None
        self._set(key, value)

    def remove(self, kind: str, id: str) -> None:  # noqa: A002  # the field's word
        """It is gone."""
        key = (kind, id)
        known = self._entries.get(key)
        if known is None or known[1] is None:
            return
        self._removed += 1
        self._set(key, None)
        if self._removed > REMOVED_MAX:
            self._forget_removed()

    def get(self, kind: str, id: str) -> Any:  # noqa: A002  # the field's word
        """The value, or None."""
        return self._entries.get((kind, id), (0, None))[1]

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        """(id, value) of everything of that kind, in order of its latest change."""
        found = [(*self._entries[kind, name], name) for name in self._present.get(kind, ())]
        for _version, value, name in sorted(found, key=lambda one: one[0]):
            yield name, value

    def since(self, version: int) -> Delta:
        """What is different from what a reader has that saw this version; 0: it saw nothing."""
        if version <= 0 or version < self._complete_from or version > self.version:
            whole = [
                Change(kind, name, value)
                for (kind, name), (_version, value) in self._entries.items()
                if value is not None
            ]
            return Delta(self.version, True, whole)
        changes: list[Change] = []
        for (kind, name), (at, value) in reversed(self._entries.items()):
            if at <= version:
                break
            changes.append(Change(kind, name, value))
        return Delta(self.version, False, changes[::-1])

    async def changed(self, version: int) -> None:
        """Return once there is a version after this one."""
        while self.version <= version:
            await self._changed.wait()

    def _set(self, key: Key, value: Any) -> None:
        self.version += 1
        self._entries[key] = (self.version, value)
        if value is None:
            self._present[key[0]].discard(key[1])
        else:
            self._present[key[0]].add(key[1])
        self._entries.move_to_end(key)
        # Wake all waiting readers; later ones wait for the next event.
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    def _forget_removed(self) -> None:
        gone = [(key, at) for key, (at, value) in self._entries.items() if value is None]
        for key, at in gone[: len(gone) // 2]:
            del self._entries[key]
            self._removed -= 1
            self._complete_from = max(self._complete_from, at)
