# SPDX-License-Identifier: MIT
"""Score: `groundwatch calibrate-confidence` fits what each sign of an event weighs.

Every event of sites whose truth is known is looked at with each of its reports, as the gateway saw
it then: which signs it had, and whether a target that an operator must know of was near the nodes
that reported it. Every fifth site is held out: it fits nothing, and shows how often the confidence
is right. What nodes report of a site is kept on disk, so a fit after a change of fusion takes a
minute.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.fusion.evidence.signs import KINDS
from gateway.fusion.gating import busy_elsewhere
from gateway.fusion.kinds.kind import Context
from gateway.fusion.update import evidence_of
from gateway.model.event import Event
from gateway.model.target import TargetClass
from gateway.service.stages import Stages
from tools import micropython
from tools.errors import UserError
from tools.score.alarms import is_wanted
from tools.score.kept import kept
from tools.score.line import event_line, played
from tools.score.nuisances import sites
from tools.score.observe import Observation
from tools.score.reliability import page
from tools.score.runs import each
from tools.score.suite import WorldJob, read_suite
from tools.score.weighing import Sample, chosen, table

OUT = Path("gateway/fusion/weights.py")
DOC = Path("docs/confidence.md")
KEEP = Path("build/observed")
HELD_OUT_EVERY = 5
_SITES, _SITES_MAX = 400, 5000
_HOURS, _HOURS_MAX = 0.25, 24.0


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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch calibrate-confidence`."""
    parser.add_argument(
        "--sites", type=int, default=_SITES, help=f"random sites to fit on (default {_SITES})"
    )
    parser.add_argument(
        "--hours",
        type=float,
        default=_HOURS,
        help=f"of each site that has no one to alarm about (default {_HOURS:g})",
    )
    parser.add_argument(
        "--suite", type=Path, action="append", default=[], metavar="FILE", help="more sites"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FILE", help=f"the table (default {OUT})"
    )
    parser.add_argument(
        "--doc", type=Path, default=DOC, metavar="FILE", help=f"its report (default {DOC})"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes (default: all cores)")
    parser.add_argument(
        "--keep",
        type=Path,
        default=KEEP,
        metavar="FOLDER",
        help=f"keep what nodes report of each site there, by site, seed and firmware, so that it "
        f"goes on where it was stopped and repeats in a minute (default {KEEP})",
    )
    parser.add_argument(
        "--only-kept", action="store_true", help="fit on the sites that are kept already"
    )


@dataclass(frozen=True)
class _Work:
    node: Path
    keep: Path
    only_kept: bool


def run(args: argparse.Namespace) -> int:
    """Observe the sites, fit, and write the table and its report."""
    if not 10 <= args.sites <= _SITES_MAX:
        raise UserError(f"--sites must be from 10 to {_SITES_MAX}, not {args.sites}")
    if not 1 / 60 <= args.hours <= _HOURS_MAX:
        raise UserError(f"--hours must be from 1/60 to {_HOURS_MAX:g}, not {args.hours:g}")
    for path in (args.out, args.doc):
        if not path.parent.is_dir():
            raise UserError(f"{path.parent}: no such folder to write into; make it first")
    jobs = sites(args.sites, args.hours)
    for suite in args.suite:
        jobs += read_suite(suite)
    work = partial(_samples, work=_Work(micropython.find(), args.keep, args.only_kept))
    found = [one for one in each(work, jobs, _weight, args.workers, "observing") if one is not None]
    fitted: list[Sample] = []
    tested: list[Sample] = []
    for number, of_site in enumerate(found):
        (fitted if number % HELD_OUT_EVERY else tested).extend(of_site)
    choice = chosen(fitted)
    text = table(choice.weights, fitted)
    args.out.write_text(text, encoding="utf-8")
    args.doc.write_text(page(choice, fitted, tested, len(found)), encoding="utf-8")
    print(text[text.index("class ") :])
    return 0


def _weight(job: WorldJob) -> float:
    return job.duration_s


def _samples(job: WorldJob, work: _Work) -> list[Sample] | None:
    seen = kept(job, work.node, work.keep, only=work.only_kept)
    return None if seen is None else samples(seen)
