# SPDX-License-Identifier: MIT
"""Intake: sequence numbers that were received, durable (cumulative) and volatile (window)."""

from __future__ import annotations

SEQ_MAX = 0xFFFF
WINDOW = 1024  # store and forward makes deep reordering normal


# Stands for the empty set of nearly all of them, which would each cost as much as all the rest.
_NONE: set[int] = set()


class DurableSequence:
    """Durable messages of one boot. `upto` is the number of a cumulative receipt: no gap below it;
    the store holds them up to `stored`.

    A gap holds `upto` back until its messages come, or until the node reports that they are gone.
    Memory is bounded by the 65,535 numbers of a boot.
    """

    __slots__ = ("_above", "newest", "stored", "upto")

    def __init__(self, upto: int = 0) -> None:
        self.upto = self.newest = upto
        self.stored = 0
        self._above = _NONE

    def see(self, seq: int) -> bool:
        """True when `seq` is new."""
        if self.has(seq):
            return False
        if self._above is _NONE:
            self._above = set()
        self._above.add(seq)
        self.newest = max(self.newest, seq)
        self._advance()
        return True

    def forget(self, seq: int) -> None:
        """`seq`, which was new a moment ago, could not be kept: it may come again."""
        if seq in self._above:
            self._above.remove(seq)
        elif seq <= self.upto:
            self._above = {*self._above, *range(seq + 1, self.upto + 1)} or _NONE
            self.upto = seq - 1
        self.newest = max(self._above, default=self.upto)

    def has(self, seq: int) -> bool:
        """Whether `seq` has been seen or given up."""
        return seq <= self.upto or seq in self._above

    @property
    def whole(self) -> bool:
        """Nothing has come beyond a gap."""
        return not self._above

    def gaps(self, upto: int | None = None) -> list[tuple[int, int]]:
        """Ranges (first, last) that have not come though later ones have, or up to a given seq."""
        ranges, first = [], self.upto + 1
        ends = sorted(seq for seq in self._above if upto is None or seq <= upto)
        if upto is not None:
            ends.append(min(upto, SEQ_MAX) + 1)
        for seq in ends:
            if seq > first:
                ranges.append((first, seq - 1))
            first = seq + 1
        return ranges

    def give_up(self, upto: int) -> int:
        """The node no longer holds anything up to `upto`; how many of those were never seen."""
        if upto <= self.upto:
            return 0
        gone = range(self.upto + 1, min(upto, SEQ_MAX) + 1)
        missing = sum(1 for seq in gone if seq not in self._above)
        self._above.difference_update(gone)
        self.upto = min(upto, SEQ_MAX)
        self.newest = max(self.newest, self.upto)
        self._advance()
        return missing

    def _advance(self) -> None:
        while self.upto + 1 in self._above:
            self.upto += 1
            self._above.remove(self.upto)
        if not self._above:
            self._above = _NONE


class VolatileWindow:
    """Replay window over (boot, seq) of the volatile counter space: the newest, and a bitmap."""

    __slots__ = ("bits", "newest")

    def __init__(self, newest: int = 0, bits: int = 0) -> None:
        self.newest = newest
        self.bits = bits

    @classmethod
    def of(cls, newest: int, bits: bytes) -> VolatileWindow:
        """Inverse of `row`."""
        return cls(newest, int.from_bytes(bits, "big"))

    @property
    def row(self) -> tuple[int, bytes]:
        """As the store keeps it."""
        return self.newest, self.bits.to_bytes(WINDOW // 8, "big")

    def see(self, boot: int, seq: int) -> bool:
        """True when never seen; older than the window counts as seen. `boot` is the whole number of
        a start (gateway.intake.authentication.boots)."""
        counter = boot << 16 | seq
        ahead = counter - self.newest
        if ahead > 0:
            kept = self.bits << ahead if ahead < WINDOW else 0
            self.bits = (kept | 1) & ((1 << WINDOW) - 1)
            self.newest = counter
            return True
        if -ahead >= WINDOW or self.bits >> -ahead & 1:
            return False
        self.bits |= 1 << -ahead
        return True

    def forget(self, boot: int, seq: int) -> None:
        """(boot, seq), which was new a moment ago, could not be kept: it may come again."""
        self.bits &= ~(1 << max(0, self.newest - (boot << 16 | seq)))
