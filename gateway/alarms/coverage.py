# SPDX-License-Identifier: MIT
"""Many nodes at once: jamming, and sectors that nobody listens to any more.

EN 50131 calls a radio jammed after 30 s of loss within 60 s; half of the nodes lost within 60 s
says the same where loss is told late. One node that restarts is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from gateway.alarms.rules import AlarmRules
from gateway.model.alarm import AlarmKind
from gateway.model.observation import AreaCondition

WINDOW_US = 60_000_000
LOSS_US = 30_000_000
# Fewer than two nodes, or less than this share, is a trouble of the nodes.
NODES_LEAST = 2
LOSS_SHARE = 0.25
LOST_SHARE = 0.5
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Presence:
    """What the door knows: nodes ever heard, whose connection is broken, and who is given up."""

    heard: Set[str]
    broken: Set[str]
    lost: Set[str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Broken spans within the window by node (an open one ends at 0), when each lost node was
    given up, the nodes of the jamming that is on, and the sectors without ears."""

    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    lost_us: Mapping[str, int] = field(default_factory=dict)
    jammed: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()


_WELL = Coverage()


def step(
    state: Coverage, rules: AlarmRules, seen: Presence, now_us: int
) -> tuple[Coverage, tuple[AreaCondition, ...]]:
    """(new state, troubles that began or ended); the same state when nothing is amiss."""
    if not (seen.broken or seen.lost) and state == _WELL:
        return state, ()
    spans = {
        node: kept
        for node in sorted(seen.broken | state.spans.keys())
        if (kept := _spans(state.spans.get(node, ()), node in seen.broken, now_us))
    }
    lost_us = {node: min(state.lost_us.get(node, now_us), now_us) for node in sorted(seen.lost)}
    state = replace(state, spans=spans, lost_us=lost_us)
    state, jamming = _jamming(state, rules, seen, now_us)
    state, sectors = _sectors(state, rules, seen)
    return state, (*jamming, *sectors)


def _spans(known: tuple[Span, ...], broken: bool, now_us: int) -> tuple[Span, ...]:
    # A clock that was set back leaves spans in the future: they begin anew.
    spans = [(min(begin, now_us), end and min(end, now_us)) for begin, end in known]
    if broken and not (spans and spans[-1][1] == 0):
        spans.append((now_us, 0))
    elif not broken and spans and spans[-1][1] == 0:
        spans[-1] = (spans[-1][0], now_us)
    return tuple(span for span in spans if span[1] == 0 or span[1] > now_us - WINDOW_US)


def _jamming(
    state: Coverage, rules: AlarmRules, seen: Presence, now_us: int
) -> tuple[Coverage, tuple[AreaCondition, ...]]:
    since_us, heard = now_us - WINDOW_US, len(seen.heard)
    failing = {n for n, spans in state.spans.items() if _loss_us(spans, now_us) >= LOSS_US}
    gone = {node for node, at_us in state.lost_us.items() if at_us > since_us}
    if state.jammed:
        jammed = state.jammed | failing | gone
        # In bursts, links work in between: it is over when the loss is.
        still = failing | jammed & (seen.broken | seen.lost)
        if len(still) >= max(NODES_LEAST, LOST_SHARE * len(jammed)):
            return replace(state, jammed=jammed), ()
        over = _site(jammed, rules, False, "")
        return replace(state, jammed=frozenset()), (over,)
    if len(failing) >= max(NODES_LEAST, LOSS_SHARE * heard):
        jammed, why = frozenset(failing), f"links of {len(failing)} of {heard} nodes fail"
    elif len(gone) >= max(NODES_LEAST, LOST_SHARE * heard):
        jammed, why = frozenset(gone), f"{len(gone)} of {heard} nodes were lost within 60 s"
    else:
        return state, ()
    begun = _site(jammed, rules, True, f"{why}: jamming, or the radio network is off")
    return replace(state, jammed=jammed), (begun,)


def _loss_us(spans: tuple[Span, ...], now_us: int) -> int:
    """Loss within the window; none for a link that has not worked within it: it is lost."""
    since_us = now_us - WINDOW_US
    if spans[-1][1] == 0 and spans[-1][0] <= since_us:
        return 0
    return sum((end or now_us) - max(begin, since_us) for begin, end in spans)


def _site(nodes: frozenset[str], rules: AlarmRules, active: bool, reason: str) -> AreaCondition:
    names = tuple(sorted(nodes))
    sectors = tuple(dict.fromkeys(rules.sector_of[node] for node in names))
    return AreaCondition(AlarmKind.JAMMING, "site", names, sectors, active, reason)


def _sectors(
    state: Coverage, rules: AlarmRules, seen: Presence
) -> tuple[Coverage, tuple[AreaCondition, ...]]:
    ears = {
        sector: [node for node in rules.nodes_of[sector] if node in seen.heard]
        for sector in {rules.sector_of[node] for node in seen.lost}
    }
    # Where there is one node only, its own alarm says it; where all are jammed, the jamming's does.
    deaf = frozenset(
        sector
        for sector, own in ears.items()
        if len(own) > 1 and seen.lost >= set(own) and not state.jammed >= set(own)
    )
    troubles = []
    for sector in sorted(deaf ^ state.deaf):
        nodes = tuple(ears.get(sector, ()))
        reason = f"all {len(nodes)} nodes of {sector} are lost: nobody listens there"
        troubles.append(
            AreaCondition(AlarmKind.SECTOR_LOST, sector, nodes, (sector,), sector in deaf, reason)
        )
    return replace(state, deaf=deaf), tuple(troubles)


def of_site(state: Coverage, rules: AlarmRules) -> Coverage:
    """The same without nodes and sectors that the site no longer has."""
    nodes = rules.sector_of.keys()
    return Coverage(
        spans={node: spans for node, spans in state.spans.items() if node in nodes},
        lost_us={node: at_us for node, at_us in state.lost_us.items() if node in nodes},
        jammed=state.jammed & nodes,
        deaf=state.deaf & rules.nodes_of.keys(),
    )
