# SPDX-License-Identifier: MIT
"""The window: orders in force, arming and escalation, as the page shows them."""

from __future__ import annotations

from typing import Any

from gateway.alarms.quiet import armed
from gateway.model.orders import Walk
from gateway.monitor.step import MonitorState


def orders_shown(now: MonitorState, now_us: int) -> dict[str, Any]:
    """Plain values, ready for JSON."""
    state, rules = now.alarms, now.policy.alarms
    overrides = {override.sector: override for override in state.overrides}
    arming = []
    for sector in rules.nodes_of:
        override, schedule = overrides.get(sector), rules.schedules.get(sector)
        arming.append(
            {
                "sector": sector,
                "armed": armed(state, rules, sector, now_us),
                "schedule": schedule.text if schedule else "always",
                "by": override.by if override else "",
                "reason": override.reason if override else "",
                "until_us": override.until_us if override else None,
            }
        )
    return {
        "arming": arming,
        "masks": [
            {
                "id": mask.id,
                "owner": mask.owner,
                "reason": mask.reason,
                "until_us": mask.until_us,
                "sectors": mask.sectors,
                "nodes": mask.nodes,
            }
            for mask in state.masks
        ],
        "walks": [_walk(walk) for walk in state.walks if now_us < walk.until_us],
        "escalation": [
            {"after_s": step.after_us // 1_000_000, "to": step.to, "priority": step.priority}
            for step in rules.escalation
        ],
    }


def _walk(walk: Walk) -> dict[str, Any]:
    return {
        "id": walk.id,
        "purpose": walk.purpose.value,
        "who": walk.who,
        "by": walk.by,
        "from_us": walk.from_us,
        "until_us": walk.until_us,
        "sectors": walk.sectors,
        "crossings": walk.crossings,
    }
