# SPDX-License-Identifier: MIT
"""Alarms: conditions of many nodes at once: jamming, and sectors without coverage.

EN 50131: a radio is jammed after 30 s of loss within 60 s. Half of the nodes offline within 60 s
means the same where loss is reported late. One node that restarts is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from gateway.alarms.rules import AlarmRules
from gateway.model.alarm import AlarmKind
from gateway.model.observation import AreaCondition

WINDOW_US = 60_000_000
LOSS_US = 30_000_000
# Fewer than two nodes, or less than this share, is a condition of the nodes.
MIN_NODES = 2
LOSS_SHARE = 0.25
LOST_SHARE = 0.5
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Presence:
    """What intake knows: nodes that ever reported, with a broken connection, and offline."""

    reported: Set[str]
    broken: Set[str]
    lost: Set[str]


# The store keeps the name that its first version wrote.
class Coverage(msgspec.Struct, frozen=True, rename={"uncovered": "deaf"}):
    """Broken spans within the window by node (an open one ends at 0), since when each node is
    offline, the nodes of an active jamming, and the sectors without coverage (`uncovered`)."""

    spans: Mapping[str, tuple[Span, ...]] = msgspec.field(default_factory=dict)
    lost_us: Mapping[str, int] = msgspec.field(default_factory=dict)
    jammed: frozenset[str] = frozenset()
    uncovered: frozenset[str] = frozenset()


_NORMAL = Coverage()


def step(
    state: Coverage, rules: AlarmRules, seen: Presence, now_us: int
) -> tuple[Coverage, tuple[AreaCondition, ...]]:
    """(new state, conditions that started or ended); the same state when all is normal."""
    if not (seen.broken or seen.lost) and state == _NORMAL:
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
    # A clock that was set back leaves spans in the future: they start now.
    spans = [(min(begin, now_us), end and min(end, now_us)) for begin, end in known]
    if broken and not (spans and spans[-1][1] == 0):
        spans.append((now_us, 0))
    elif not broken and spans and spans[-1][1] == 0:
        spans[-1] = (spans[-1][0], now_us)
    return tuple(span for span in spans if span[1] == 0 or span[1] > now_us - WINDOW_US)


def _jamming(
    state: Coverage, rules: AlarmRules, seen: Presence, now_us: int
) -> tuple[Coverage, tuple[AreaCondition, ...]]:
    since_us, reported = now_us - WINDOW_US, len(seen.reported)
    failing = {n for n, spans in state.spans.items() if _loss_us(spans, now_us) >= LOSS_US}
    gone = {node for node, at_us in state.lost_us.items() if at_us > since_us}
    if state.jammed:
        jammed = state.jammed | failing | gone
        # Jamming in bursts lets links work in between: it ends when the loss ends.
        still = failing | jammed & (seen.broken | seen.lost)
        if len(still) >= max(MIN_NODES, LOST_SHARE * len(jammed)):
            return replace(state, jammed=jammed), ()
        over = _site(jammed, rules, False, "")
        return replace(state, jammed=frozenset()), (over,)
    if len(failing) >= max(MIN_NODES, LOSS_SHARE * reported):
        jammed, why = frozenset(failing), f"the links of {len(failing)} of {reported} nodes fail"
    elif len(gone) >= max(MIN_NODES, LOST_SHARE * reported):
        jammed, why = frozenset(gone), f"{len(gone)} of {reported} nodes went offline within 60 s"
    else:
        return state, ()
    started = _site(jammed, rules, True, f"{why}: jamming, or a radio network that is down")
    return replace(state, jammed=jammed), (started,)


def _loss_us(spans: tuple[Span, ...], now_us: int) -> int:
    """Loss within the window; none for a link that never worked within it: that node is offline."""
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
    nodes_of = {
        sector: [node for node in rules.nodes_of[sector] if node in seen.reported]
        for sector in {rules.sector_of[node] for node in seen.lost}
    }
    # A single node has an alarm of its own; jammed nodes have the alarm of the jamming.
    uncovered = frozenset(
        sector
        for sector, own in nodes_of.items()
        if len(own) > 1 and seen.lost >= set(own) and not state.jammed >= set(own)
    )
    found = []
    for sector in sorted(uncovered ^ state.uncovered):
        nodes = tuple(nodes_of.get(sector, ()))
        reason = f"all {len(nodes)} nodes of {sector} are offline: the sector is not monitored"
        found.append(
            AreaCondition(
                AlarmKind.SECTOR_LOST, sector, nodes, (sector,), sector in uncovered, reason
            )
        )
    return replace(state, uncovered=uncovered), tuple(found)


def of_site(state: Coverage, rules: AlarmRules) -> Coverage:
    """The same without nodes and sectors that the site no longer has."""
    nodes = rules.sector_of.keys()
    return Coverage(
        spans={node: spans for node, spans in state.spans.items() if node in nodes},
        lost_us={node: at_us for node, at_us in state.lost_us.items() if node in nodes},
        jammed=state.jammed & nodes,
        uncovered=state.uncovered & rules.nodes_of.keys(),
    )
