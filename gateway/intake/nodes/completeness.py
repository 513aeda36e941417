# SPDX-License-Identifier: MIT
"""Intake: which durable messages of each boot came, which are missing, which to receipt."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from gateway.intake.authentication.authenticator import Authenticator
from gateway.intake.authentication.sequence import DurableSequence
from gateway.store.interface import BootRow

GAPS_MAX = 8
NodeBoot = tuple[str, int]


class Completeness:
    """Of all boots of all nodes; the sequences themselves are the authenticator's."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.missing: dict[NodeBoot, int] = {}  # given up and never received
        self._authenticator = authenticator
        self._gappy: dict[str, set[int]] = {}  # boots with gaps
        self._received: set[NodeBoot] = set()  # since the last `take_upto`

    def sequence(self, node: str, boot: int) -> DurableSequence:
        """Durable messages of one boot."""
        return self._authenticator.sequence(node, boot)

    def received(self, node: str, boot: int) -> None:
        """A message of that boot came."""
        self._received.add((node, boot))
        gappy = self._gappy.setdefault(node, set())
        if self.sequence(node, boot).whole:
            gappy.discard(boot)
        else:
            gappy.add(boot)

    def give_up(self, node: str, boot: int, upto: int) -> list[tuple[int, int]]:
        """The node no longer holds anything up to `upto`; ranges (first, last) never received."""
        sequence = self.sequence(node, boot)
        ranges = sequence.gaps(upto)
        missing = sequence.give_up(upto)
        self.missing[(node, boot)] = self.missing.get((node, boot), 0) + missing
        self.received(node, boot)
        return ranges

    def gaps(self, node: str) -> list[tuple[int, int, int]]:
        """(boot, first, last) of durable messages not come yet though later ones have, the newest
        boots first; at most GAPS_MAX."""
        boots = sorted(self._gappy.get(node, ()), reverse=True)
        ranges = ((boot, *pair) for boot in boots for pair in self.sequence(node, boot).gaps())
        return list(islice(ranges, GAPS_MAX))

    def stored_upto(self, node: str, boot: int) -> int:
        """Up to which seq the store holds that boot's durable messages whole: the number of a
        receipt."""
        known = self._authenticator.durable.get((node, boot))
        return known.stored if known is not None else 0

    def take_upto(self) -> dict[NodeBoot, int]:
        """For boots of which messages came since the last call: how far they are whole."""
        upto = {key: self.sequence(*key).upto for key in self._received}
        self._received.clear()
        return upto

    def committed(self, upto: Mapping[NodeBoot, int]) -> None:
        """The store holds them that far now."""
        for key, stored in upto.items():
            self.sequence(*key).stored = stored

    def restore(self, row: BootRow) -> None:
        """A boot as its row holds it."""
        key = (row.node, row.boot)
        self._authenticator.durable[key] = DurableSequence(row.upto)
        if row.missing:
            self.missing[key] = row.missing

    def restored(self) -> None:
        """All that the store holds has been taken up."""
        self._received.clear()
        for sequence in self._authenticator.durable.values():
            sequence.stored = sequence.upto
