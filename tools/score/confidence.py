# SPDX-License-Identifier: MIT
"""Score: `groundwatch calibrate-confidence` fits what each sign of an event weighs.

Every event of sites whose truth is known is looked at with each of its reports, as the gateway saw
it then: which signs it had, and whether somebody wanted was near the nodes that told it. Logistic
regression gives the weights, from what is expected of them, and none may count against its own
sense: a reason that is listed in favour of an alarm must not lower its confidence.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from gateway.fusion.evidence.signs import KINDS
from gateway.fusion.gating import busy_elsewhere
from gateway.fusion.kinds.kind import Context
from gateway.fusion.rules import ALARMABLE
from gateway.fusion.update import evidence_of
from gateway.model.event import Event
from gateway.service.stages import Stages
from tools import micropython
from tools.errors import UserError
from tools.score.alarms import is_wanted
from tools.score.kept import kept
from tools.score.line import event_line, played
from tools.score.observe import Observation
from tools.score.runs import each
from tools.score.suite import WorldJob, read_suite

SUITE = Path(__file__).parent / "confidence.toml"
OUT = Path("gateway/fusion/weights.py")
KEEP = Path("build/observed")
# What earlier fits taught, on detectors that took trees for digging more often: a detector that is
# hardly ever wrong on these sites must not make a lone node's word for digging worth an alarm.
_EXPECTED = {
    "prior": 0.44,
    "node": 1.7,
    "others": 0.0,
    "pair": 0.05,
    "pir": 1.01,
    "lone": 0.5,
    "sure": 0.06,
    "way": 0.46,
    "far": -7.28,
    "blast": -2.12,
    "noisy": 0.0,
    "digging": -3.78,
    "swaying": -1.37,
    "dug": 2.61,
}
_AGAINST = frozenset({"far", "blast", "noisy", "digging", "swaying"})
_RIDGE = 5.0  # one over the variance of these


@dataclass(frozen=True)
class Sample:
    """One report's view of an event: signs in the order of KINDS, whether it was wanted, and how
    much it counts: all reports of one event count as one."""

    event: str
    signs: tuple[float, ...]
    is_wanted: bool
    weight: float


def samples(seen: Observation) -> list[Sample]:
    """Of one run; where nobody can say what caused an event, it is left out."""
    found: dict[str, list[tuple[tuple[float, ...], bool]]] = {}
    for at_us, stages, _ in played(seen):
        for event in stages.monitor.state.fusion.events:
            if event.evaluated_us != at_us or event.target not in ALARMABLE:
                continue
            wanted = is_wanted(seen.truth, seen.points, event_line(event, None))
            if wanted is not None:
                found.setdefault(event.id, []).append((_signs(stages, event), wanted))
    return [
        Sample(f"{seen.name} {name}", signs, wanted, 1 / len(reports))
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


def fit(given: Sequence[Sample]) -> dict[str, float]:
    """The weights by name, `prior` first. Raises UserError where all events are of one kind."""
    x = np.array([(1.0, *one.signs) for one in given])
    wanted = np.array([one.is_wanted for one in given], float)
    share = np.array([one.weight for one in given])
    if not given or len(set(wanted)) < 2:
        raise UserError("no weights can be fitted: events of one kind alone say nothing")
    names = ("prior", *KINDS)
    expected = np.array([_EXPECTED[name] for name in names])

    def cost(beta: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ beta
        likely = np.logaddexp(0.0, z) - wanted * z
        slope = x.T @ (share * (1 / (1 + np.exp(-z)) - wanted))
        off = beta - expected
        return float(share @ likely + 0.5 * _RIDGE * off @ off), slope + _RIDGE * off

    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    bounds += [(None, 0.0) if kind in _AGAINST else (0.0, None) for kind in KINDS]
    best = minimize(cost, expected, jac=True, bounds=bounds, method="L-BFGS-B")
    return {name: round(float(value), 2) + 0.0 for name, value in zip(names, best.x, strict=True)}


_TABLE = '''# SPDX-License-Identifier: MIT
# Written by `groundwatch calibrate-confidence`; not to be edited.
"""Fusion: what each sign adds to the log-odds that an operator must know of an event.

Fitted to {events} events of simulated sites, {wanted} of them wanted; beside each weight, how many
had the sign.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Log-odds of an event with no sign at all, then of each sign by its name in `signs`."""

{rows}
'''


def table(weights: Mapping[str, float], given: Sequence[Sample]) -> str:
    """The weights as a module."""
    had = Counter[str]()
    for one in given:
        had.update({kind: one.weight for kind, n in zip(KINDS, one.signs, strict=True) if n})
    rows = [f"    prior: float = {weights['prior']:g}"]
    rows += [f"    {kind}: float = {weights[kind]:g}  # {had[kind]:.0f}" for kind in KINDS]
    wanted = sum(one.weight for one in given if one.is_wanted)
    events = len({one.event for one in given})
    return _TABLE.format(events=events, wanted=f"{wanted:.0f}", rows="\n".join(rows))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch calibrate-confidence`."""
    parser.add_argument(
        "--suite", type=Path, default=SUITE, metavar="FILE", help="the sites to fit on"
    )
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FILE", help=f"the table (default {OUT})"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes (default: all cores)")
    parser.add_argument(
        "--keep",
        type=Path,
        default=KEEP,
        metavar="FOLDER",
        help=f"keep what nodes tell of each site there, so that it goes on where it was stopped, "
        f"and takes seconds after a change of the gateway alone (default {KEEP})",
    )


def run(args: argparse.Namespace) -> int:
    """Observe the sites, fit, and write the table."""
    if not args.out.parent.is_dir():
        raise UserError(f"{args.out.parent}: no such folder to write into; make it first")
    work = partial(_samples, node=micropython.find(), keep=args.keep)
    runs = each(work, read_suite(args.suite), _weight, args.workers, "hearing")
    found = [one for run in runs for one in run]
    text = table(fit(found), found)
    args.out.write_text(text, encoding="utf-8")
    print(text[text.index("class ") :])
    return 0


def _weight(job: WorldJob) -> float:
    return job.duration_s


def _samples(job: WorldJob, node: Path, keep: Path) -> list[Sample]:
    return samples(kept(job, node, keep))
