# SPDX-License-Identifier: MIT
"""Configuration: [[arming]], [[confirmation]] and [[escalation]]: when sectors are armed, when they
need a second source, where alarms escalate to.

[[arming]]
sectors = ["gate"]
time_zone = "Europe/Berlin"
armed = ["mon-fri 18:00-06:00", "sat-sun 00:00-24:00"]

[[confirmation]]         # when an alarm needs two nodes, a node and a PIR, or a plot
sectors = ["gate"]
time_zone = "Europe/Berlin"
confirmed = ["mon-fri 06:00-18:00"]  # at other times the word of one node is enough

[[escalation]]
after_s = 120            # unacknowledged for so long
to = "shift leader"
priority = 2             # alarms of priority 1 and 2; left out: 1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from gateway.alarms.rules import AlarmRules, EscalationStep
from gateway.alarms.schedule import Schedule, parse_windows
from gateway.config.fields import Text, form, is_line
from gateway.errors import ConfigError
from gateway.model.place.site import Site

MAX_NAME = 32


def is_time_zone(written: str) -> bool:
    """One that this machine knows by its IANA name."""
    try:
        ZoneInfo(written)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


TimeZone = Annotated[str, form(is_time_zone, "is not a known time zone", "Europe/Berlin")]
# The person an alarm escalates to; shown on the console.
PersonName = Annotated[
    str,
    form(is_line(MAX_NAME), f"must be a name of 1 to {MAX_NAME} characters", "shift leader"),
]


class Arming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The weekly schedule of some sectors."""

    sectors: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=1000, examples=[["gate"]])]
    time_zone: TimeZone | None = None  # that of [gateway]
    armed: Annotated[
        tuple[Text, ...], Meta(min_length=1, max_length=50, examples=[["mon-fri 18:00-06:00"]])
    ]

    def __post_init__(self) -> None:
        self.schedule("UTC")

    def schedule(self, time_zone: str) -> Schedule:
        """Ready for use, where the table names no zone in `time_zone`. Raises ValueError that
        starts with the key."""
        return _schedule("armed", self.armed, self.time_zone or time_zone)


def _schedule(key: str, written: Sequence[str], zone: str) -> Schedule:
    try:
        windows = tuple(window for line in written for window in parse_windows(line))
    except ValueError as error:
        raise ValueError(f'{key} {error}, e.g. {key} = ["mon-fri 18:00-06:00"]') from None
    return Schedule(ZoneInfo(zone), windows, f"{', '.join(written)} ({zone})")


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the alarms of some sectors need a second source beside one node."""

    sectors: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=1000, examples=[["gate"]])]
    time_zone: TimeZone | None = None  # that of [gateway]
    confirmed: Annotated[
        tuple[Text, ...], Meta(min_length=1, max_length=50, examples=[["mon-fri 06:00-18:00"]])
    ]

    def __post_init__(self) -> None:
        self.schedule("UTC")

    def schedule(self, time_zone: str) -> Schedule:
        """Ready for use, where the table names no zone in `time_zone`. Raises ValueError that
        starts with the key."""
        return _schedule("confirmed", self.confirmed, self.time_zone or time_zone)


class Escalation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: unacknowledged for `after_s`, an alarm goes to `to`, too."""

    after_s: Annotated[int, Meta(ge=10, le=24 * 3600, examples=[120])]
    to: PersonName
    priority: Annotated[
        int, Meta(ge=1, le=3, description="Alarms of this priority and higher.")
    ] = 1


ArmingTables = Annotated[tuple[Arming, ...], Meta(max_length=1000)]
ConfirmationTables = Annotated[tuple[Confirmation, ...], Meta(max_length=1000)]
EscalationTables = Annotated[tuple[Escalation, ...], Meta(max_length=10)]


@dataclass(frozen=True, slots=True)
class AlarmConfig:
    """As written; `alarm_rules` checks it against the site."""

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    escalation: tuple[EscalationStep, ...] = ()
    confirmed: Mapping[str, Schedule] = field(default_factory=dict)


def alarm_config(
    arming: Sequence[Arming],
    escalation: Sequence[Escalation],
    confirmation: Sequence[Confirmation] = (),
    time_zone: str | None = None,
) -> AlarmConfig:
    """All lists together; `time_zone` is that of tables that name none. Raises ValueError that
    starts with the key."""
    schedules = _by_sector("arming", arming, time_zone)
    confirmed = _by_sector("confirmation", confirmation, time_zone)
    if any(a.after_s >= b.after_s for a, b in zip(escalation, escalation[1:], strict=False)):
        raise ValueError("escalation must have steps of growing after_s, e.g. after_s = 300")
    steps = tuple(
        EscalationStep(one.after_s * 1_000_000, one.to, one.priority) for one in escalation
    )
    return AlarmConfig(schedules, steps, confirmed)


def _by_sector(
    key: str, tables: Sequence[Arming | Confirmation], time_zone: str | None
) -> dict[str, Schedule]:
    found: dict[str, Schedule] = {}
    for index, table in enumerate(tables):
        zone = table.time_zone or time_zone
        if zone is None:
            missing = f"{key}[{index}].time_zone is missing, and [gateway] has none"
            raise ValueError(f'{missing}, e.g. time_zone = "Europe/Berlin"')
        schedule = table.schedule(zone)
        for sector in table.sectors:
            if sector in found:
                names = f"{key}[{index}].sectors names {sector!r} twice"
                raise ValueError(f'{names}, e.g. sectors = ["gate"]')
            found[sector] = schedule
    return found


def alarm_rules(config: AlarmConfig, site: Site) -> AlarmRules:
    """The alarm policy of this site. Raises ConfigError for a sector it does not have."""
    sectors = {node.id: node.sector for node in site.nodes.values()}
    for key, schedules in (("arming", config.schedules), ("confirmation", config.confirmed)):
        for sector in schedules:
            if sector not in sectors.values():
                raise ConfigError(
                    f"{key}.sectors: {sector!r} is not a sector with nodes of site {site.name}; "
                    f"there are {', '.join(sorted(set(sectors.values()))[:10])}"
                )
    return AlarmRules(sectors, config.schedules, config.escalation, config.confirmed)
