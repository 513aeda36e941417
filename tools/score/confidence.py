# SPDX-License-Identifier: MIT
"""Score: `groundwatch model calibrate` fits the weight of each sign of an event.

A sample is one event at one of its reports, on a site whose truth is known. It holds the signs that
the gateway had at that time, and whether a target that an operator must know of was near the nodes
that reported it. Every fifth site is held out of the fit and measures how often the confidence is
right. Reports of the nodes are kept on disk, so a fit after a change of fusion takes a minute.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from gateway.fusion.evidence.signs import KINDS
from gateway.fusion.gating import busy_elsewhere
from gateway.fusion.kinds.kind import Context
from gateway.fusion.update import evidence_of
from gateway.model.event import Event
from gateway.model.target import TargetClass
from gateway.service.stages import Stages
from tools import micropython, output
from tools.errors import UserError
from tools.score.alarms import is_wanted
from tools.score.kept import kept
from tools.score.line import event_line, played
from tools.score.nuisances import sites as random_sites
from tools.score.observe import Observation
from tools.score.reliability import page
from tools.score.runs import each
from tools.score.suite import WorldJob, read_suite
from tools.score.weighing import Sample, chosen, table

HELD_OUT_EVERY = 5
_SITES_MAX = 5000
_HOURS_MAX = 24.0


def samples(seen: Observation) -> list[Sample]:
    """Of one run; an event whose cause the truth leaves open is left out, and so are animals."""
    found: dict[str, list[tuple[tuple[float, ...], bool]]] = {}
    for at_us, stages, _ in played(seen):
        for event in stages.monitor.state.fusion.events:
            if event.evaluated_us != at_us or event.target is TargetClass.ANIMAL:
                continue
            wanted = is_wanted(seen.truth, seen.points, event_line(event, None))
            if wanted is not None:
                found.setdefault(event.id, []).append((_signs(stages, event), wanted))
    return [
        Sample(seen.name, f"{seen.name} {name}", signs, wanted, 1 / len(reports))
        for name, reports in found.items()
        for signs, wanted in reports
    ]


def _signs(stages: Stages, event: Event) -> tuple[float, ...]:
    state = stages.monitor.state.fusion
    context = Context(stages.site, stages.policy.rules, state, event.evaluated_us or 0)
    found = evidence_of(event, context, busy_elsewhere(state.events, event.id))
    amount = Counter[str]()
    for sign in found.signs:
        amount[sign.kind] += sign.amount  # type: ignore[assignment]  # a Counter of shares
    return tuple(float(amount[kind]) for kind in KINDS)


@dataclass(frozen=True)
class _Work:
    node: Path
    keep: Path
    only_kept: bool


def calibrate(
    sites: int,
    hours: float,
    suites: Sequence[Path],
    out: Path,
    doc: Path,
    workers: int,
    keep: Path,
    only_kept: bool,
    as_json: bool,
) -> None:
    """Observe the sites, fit, and write the table and its report."""
    if not 10 <= sites <= _SITES_MAX:
        raise UserError(f"--sites must be from 10 to {_SITES_MAX}, not {sites}")
    if not 1 / 60 <= hours <= _HOURS_MAX:
        raise UserError(f"--hours must be from 1/60 to {_HOURS_MAX:g}, not {hours:g}")
    for path in (out, doc):
        output.check(path)
    jobs = random_sites(sites, hours)
    for one in suites:
        jobs += read_suite(one)
    work = partial(_samples, work=_Work(micropython.find(), keep, only_kept))
    found = [seen for seen in each(work, jobs, _weight, workers, "observing") if seen is not None]
    fitted: list[Sample] = []
    tested: list[Sample] = []
    for number, of_site in enumerate(found):
        (fitted if number % HELD_OUT_EVERY else tested).extend(of_site)
    choice = chosen(fitted)
    text = table(choice.weights, fitted)
    output.write(out, text)
    output.write(doc, page(choice, fitted, tested, len(found)))
    if as_json:
        facts = {"type": "weights", "out": str(out), "doc": str(doc), "sites": len(found)}
        print(json.dumps({**facts, "weights": asdict(choice.weights)}))
    else:
        print(text[text.index("class ") :])


def _weight(job: WorldJob) -> float:
    return job.duration_s


def _samples(job: WorldJob, work: _Work) -> list[Sample] | None:
    seen = kept(job, work.node, work.keep, only=work.only_kept)
    return None if seen is None else samples(seen)
