# SPDX-License-Identifier: MIT
"""What goes wrong for one node and its gateway, and when: one seed, one schedule."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

# kind: (share, shortest and longest duration in seconds). Without a duration it only happens.
KINDS: dict[str, tuple[int, float, float]] = {
    # at the node
    "no network": (4, 3, 60),
    "dead radio": (3, 5, 120),
    "no address": (3, 5, 60),
    "no name server": (3, 10, 120),
    "wrong passphrase": (2, 5, 40),
    "half-open": (3, 0, 0),
    "power cut": (5, 0.3, 20),
    "power cut while flash is written": (8, 0, 0),
    "power flickers": (3, 0, 0),
    "brown-out": (2, 1.5, 5),
    "bit flips": (4, 20, 60),  # power fails at the end, while the gateway is away
    "low memory": (2, 2, 15),
    "tamper chatters": (3, 4, 10),
    "PIR chatters": (3, 4, 10),
    # at the gateway
    "gateway killed": (5, 0.5, 30),
    "gateway restarts": (3, 0.5, 10),
    "clock jumps": (3, 10, 60),
    # between them
    "reset": (4, 0, 0),
    "cut in a packet, up": (4, 0, 0),
    "cut in a packet, down": (4, 0, 0),
    "acknowledgement lost": (5, 0, 0),
    "receipt lost": (5, 0, 0),
    "late on the old connection": (4, 0, 0),
    "nothing passes": (3, 0, 0),
    "delayed": (4, 2, 25),
    "throttled": (3, 5, 20),
    "refused": (3, 3, 40),
    "swallowed": (3, 3, 40),
}
LEAD_S = 20.0  # before the first fault
_GAP_S = (2.0, 35.0)
# How long the gateway is away once in each schedule: for minutes, in every twelfth for hours.
_AWAY_S = (120.0, 600.0)
_HOURS_S = (3_600.0, 7_200.0)
_FLICKERS = (3, 7)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, from `at_s` to `end_s` of the node's time."""

    kind: str
    at_s: float
    end_s: float
    amount: float = 0.0  # seconds of a jump; periods of a flicker or chatter

    def __str__(self) -> str:
        what = f"{self.at_s:9.2f} s  {self.kind}"
        if self.end_s > self.at_s:
            what += f" for {self.end_s - self.at_s:.1f} s"
        return what + (f" ({self.amount:g})" if self.amount else "")


@dataclass(frozen=True)
class Schedule:
    """All of one run. `charges` is what work costs the node; `named`: it has a name for a host."""

    seed: int
    charges: str
    named: bool
    faults: tuple[Fault, ...] = field(default=())

    @property
    def end_s(self) -> float:
        return max(fault.end_s for fault in self.faults)

    @property
    def count(self) -> int:
        """How many faults: each power loss of a flicker is one."""
        flickers = sum(int(f.amount) - 1 for f in self.faults if f.kind == "power flickers")
        return len(self.faults) + flickers

    def __str__(self) -> str:
        host = "name" if self.named else "number"
        head = f"seed {self.seed}: {self.charges} costs, host by {host}"
        return "\n".join([head, *map(str, self.faults)])

    def of(self, *kinds: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.kind in kinds]


def make_schedule(seed: int, count: int, away: bool = True) -> Schedule:
    """`count` entries; `away`: one of them is a long absence of the gateway."""
    chance = random.Random(seed)
    kinds = list(KINDS)
    shares = [KINDS[kind][0] for kind in kinds]
    at_s, faults = LEAD_S, list[Fault]()
    away_at = chance.randrange(count) if away else -1
    for number in range(count):
        at_s += chance.uniform(*_GAP_S)
        if number == away_at:
            away_s = chance.uniform(*(_AWAY_S if seed % 12 else _HOURS_S))
            faults.append(Fault("gateway away", _round(at_s), _round(at_s + away_s)))
            at_s += away_s
            continue
        (kind,) = chance.choices(kinds, shares)
        fault = _one(chance, kind, at_s)
        faults.append(fault)
        # Every third fault begins while the one before it lasts.
        if chance.random() > 0.33:
            at_s = fault.end_s
    charges = "worst" if seed % 4 == 0 else "typical"
    return Schedule(seed, charges, chance.random() < 0.5, tuple(faults))


def _one(chance: random.Random, kind: str, at_s: float) -> Fault:
    _share, least_s, most_s = KINDS[kind]
    for_s = chance.uniform(least_s, most_s)
    amount = 0.0
    if kind == "power flickers":
        amount = chance.randrange(*_FLICKERS)
        for_s = 2 * amount * FLICKER_S
    elif kind == "clock jumps":
        amount = chance.choice((-7_200.0, -30.0, 2.0, 60.0, 3_600.0, 200_000.0))
    elif kind in ("tamper chatters", "PIR chatters"):
        amount = chance.randrange(10, 60)
    return Fault(kind, _round(at_s), _round(at_s + for_s), amount)


FLICKER_S = 1.7  # of each half of a flicker's period; a start takes longer


def _round(t_s: float) -> float:
    return round(t_s, 3)
