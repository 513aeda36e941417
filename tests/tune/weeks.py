# SPDX-License-Identifier: MIT
"""Weeks of a site in a real store, made by the gateway's own stages: n02 stands beside a pump."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gateway.audit.checkpoint import Signer
from gateway.audit.head import NAME, HeadFile
from gateway.audit.keys import load_or_create
from gateway.audit.log import AuditLog
from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model import node_settings
from gateway.model.actions.acts import Acknowledge, AnnounceWalk
from gateway.model.actions.overrides import Purpose
from gateway.model.alarm import Disposition
from gateway.service.stages import Stages
from gateway.store.choose import store_at
from gateway.wire.messages import Phase, TargetClass
from tests.gateway.played_node import ROOT, PlayedNode, write_config

S = 1_000_000
HOUR, DAY = 3600, 86_400
NOISY = "n02"
_PLACE = 'id = "n02"\nx_m = 25\ny_m = 0\nsector = '
_ALONE = (f'{_PLACE}"west"', f'{_PLACE}"pump"')
BEAT_S = 600


@dataclass
class Plan:
    """What happens. `pump_pct` are the confidences of the reports of one pump start; `walk_pct`
    that of people in a walk test each week; `assess` the disposition of the pump's alarms."""

    days: int = 28
    pump_hours: tuple[int, ...] = (22, 23, 0, 1, 2, 3)
    pump_pct: tuple[int, ...] = (64, 66, 66, 67)
    walk_pct: int = 90
    assess: Disposition | None = Disposition.UNKNOWN
    noisy: str = NOISY
    thresholds: dict[str, int] = field(default_factory=dict)
    walk_hour: int | None = 12  # of the walk test of each week, UTC


def settings(threshold_x10: int = 0, heartbeat_s: int = BEAT_S) -> bytes:
    return node_settings.encode({"heartbeat_s": heartbeat_s, "threshold_x10": threshold_x10})


def start_of(end_us: int, days: int) -> int:
    """Midnight, UTC."""
    return (end_us // (DAY * S) - days) * DAY * S


def live(
    folder: Path,
    end_us: int,
    plan: Plan | None = None,
    seed: int = 1,
    place: Path | str | None = None,
) -> Path:
    """Write the folder of a gateway that has run up to the last midnight; its store. `place`: of
    the store, where it is not a file in that folder."""
    plan = plan or Plan()
    rng = random.Random(seed)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if not (folder / "gateway.toml").exists():
        write_config(folder, "port = 0")
    site_file = folder / "site.toml"
    # Alone in its sector; the belt of the pump moves before its PIR: an alarm at 60 %.
    site_file.write_text(site_file.read_text().replace(*_ALONE))
    site = load_site(site_file)
    store = store_at(place or data / "groundwatch.db")
    store.open()
    salts = random.Random(seed)
    audit = AuditLog(lambda: salts.randbytes(16), Signer(load_or_create(data)))
    stages = Stages(site, site_keys(site, ROOT), store.load(), audit=audit)
    start_us = start_of(end_us, plan.days)
    nodes = {name: PlayedNode(name) for name in site.nodes}
    rows = sorted(_events(nodes, plan, start_us, rng), key=lambda row: row[0])
    head = HeadFile(data / NAME)
    for count, (at_us, what) in enumerate(rows):
        stages.tick(at_us)
        if isinstance(what, tuple):
            node, make = what
            stages.uplink(at_us, nodes[node].up, make())
            stages.down.clear()
        else:
            stages.take(at_us, "eva", what)
        if plan.assess is not None:
            _assess(stages, at_us, plan.assess)
        if count % 500 == 0:
            store.commit(stages.take_writes(at_us))
            stages.committed()
    writes = stages.take_writes(end_us)
    store.commit(writes)
    head.committed(writes)
    store.close()
    return data / "groundwatch.db"


def _assess(stages: Stages, at_us: int, pump: Disposition) -> None:
    for alarm in stages.monitor.state.alarms.open:
        if not alarm.acknowledged and alarm.raised_us < at_us - 300 * S:
            word = Disposition.TEST if alarm.walk else pump
            stages.take(at_us, "eva", Acknowledge(alarm.id, "eva", word))


def _events(
    nodes: dict[str, PlayedNode], plan: Plan, start_us: int, rng: random.Random
) -> Iterator[tuple[int, object]]:
    for name, node in nodes.items():
        stated = settings(plan.thresholds.get(name, 0))
        yield start_us, (name, partial(node.hello, 0, schema=3, settings=stated))
        for at_s in range(BEAT_S, plan.days * DAY + 1, BEAT_S):
            yield start_us + at_s * S, (name, partial(node.health, 1000 * at_s))
    for day in range(plan.days):
        for hour in range(24):
            at_s = day * DAY + hour * HOUR + rng.randrange(60, HOUR - 120)
            of_day = (start_us // S + at_s) // HOUR % 24
            if of_day in plan.pump_hours:
                yield from _passing(nodes[plan.noisy], start_us, at_s, plan.pump_pct, 1)
        if plan.walk_hour is not None and day % 7 == 3:
            at_s = day * DAY + plan.walk_hour * HOUR
            from_us = start_us + at_s * S
            yield (
                from_us,
                AnnounceWalk(
                    "eva",
                    "Ben",
                    from_us,
                    from_us + HOUR * S,
                    ("west", "pump"),
                    Purpose.WALK_TEST,
                    2,
                ),
            )
            for index, name in enumerate(("n01", NOISY)):
                pct = (70, plan.walk_pct, plan.walk_pct)
                yield from _passing(nodes[name], start_us, at_s + 600 + 20 * index, pct)


def _passing(
    node: PlayedNode, start_us: int, at_s: int, pct: tuple[int, ...], pir: int = 0
) -> Iterator[tuple[int, object]]:
    phases = [Phase.ONSET, *[Phase.UPDATE] * (len(pct) - 2), Phase.END]
    for index, (phase, confidence) in enumerate(zip(phases, pct, strict=True)):
        elapsed = None if phase is Phase.ONSET else 5.0 * index

        make = partial(
            node.detection,
            1000 * at_s,
            phase,
            TargetClass.PERSON,
            confidence,
            elapsed,
            pir,
            peak_um_s=3.0,
        )
        yield start_us + (at_s + 5 * index) * S, (node.node, make)
