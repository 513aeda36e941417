# SPDX-License-Identifier: MIT
"""Configuration: [[arming]] and [[escalation]] of gateway.toml, the duty officer's standing orders.

[[arming]]
sectors = ["gate"]
time_zone = "Europe/Berlin"
armed = ["mon-fri 18:00-06:00", "sat-sun 00:00-24:00"]

[[escalation]]
after_s = 120            # nobody has acknowledged it for so long
to = "shift leader"
priority = 2             # alarms of priority 1 and 2; left out: 1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gateway.alarms.rules import AlarmRules, EscalationStep
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.errors import ConfigError
from gateway.model.site import Site
from gateway.toml_table import Table

_SECTORS_MOST = 1000
_WINDOWS_MOST = 50
_STEPS_MOST = 10
_AFTER_S_MOST = 24 * 3600
_NAME_MOST = 32


@dataclass(frozen=True, slots=True)
class AlarmConfig:
    """As written; `alarm_rules` holds it against the site."""

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    escalation: tuple[EscalationStep, ...] = ()


def read_alarms(root: Table) -> AlarmConfig:
    """Take both lists out of the root table. Raises ConfigError."""
    schedules: dict[str, Schedule] = {}
    for table in root.tables("arming"):
        sectors = table.texts("sectors", "gate", _SECTORS_MOST)
        schedule = _schedule(table)
        for sector in sectors:
            if sector in schedules:
                raise table.fail("sectors", f"names {sector!r} twice", 'sectors = ["gate"]')
            schedules[sector] = schedule
        table.done()
    steps = tuple(_step(table) for table in root.tables("escalation"))
    if len(steps) > _STEPS_MOST:
        raise root.fail("escalation", f"has more than {_STEPS_MOST} steps", "[[escalation]]")
    if any(a.after_us >= b.after_us for a, b in zip(steps, steps[1:], strict=False)):
        raise root.fail("escalation", "must have steps of growing after_s", "after_s = 300")
    return AlarmConfig(schedules, steps)


def alarm_rules(config: AlarmConfig, site: Site) -> AlarmRules:
    """The standing orders of this site. Raises ConfigError for a sector it does not have."""
    sectors = {node.id: node.sector for node in site.nodes.values()}
    for sector in config.schedules:
        if sector not in sectors.values():
            raise ConfigError(
                f"arming.sectors: {sector!r} is not a sector with nodes of site {site.name}; "
                f"there are {', '.join(sorted(set(sectors.values()))[:10])}"
            )
    return AlarmRules(sectors, config.schedules, config.escalation)


def _schedule(table: Table) -> Schedule:
    zone = table.text("time_zone", "Europe/Berlin")
    try:
        clock = ZoneInfo(zone)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        example = 'time_zone = "Europe/Berlin"'
        raise table.fail("time_zone", "is not a known time zone", example) from None
    written = table.texts("armed", "mon-fri 18:00-06:00", _WINDOWS_MOST)
    try:
        windows = tuple(window for line in written for window in parse_windows(line))
    except ValueError as error:
        raise table.fail("armed", str(error), 'armed = ["mon-fri 18:00-06:00"]') from None
    return Schedule(clock, windows, f"{', '.join(written)} ({zone})")


def _step(table: Table) -> EscalationStep:
    step = EscalationStep(
        after_us=table.integer("after_s", 10, _AFTER_S_MOST, 120) * 1_000_000,
        to=table.text("to", "shift leader"),
        priority=table.integer("priority", 1, 3, 1, 1),
    )
    if len(step.to) > _NAME_MOST or not step.to.isprintable():
        raise table.fail("to", f"must be a name of 1 to {_NAME_MOST} characters", 'to = "leader"')
    table.done()
    return step
