# SPDX-License-Identifier: MIT
"""Train: `groundwatch model train`, from seeds to the model file and its card."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tools import micropython, output
from tools.errors import UserError
from tools.extras import need
from tools.train import limits, real
from tools.train.card import card
from tools.train.fit import UNIT, Trees, fit, pack, scores
from tools.train.kept import kept
from tools.train.listen import LEFT_OUT, Hops, listen
from tools.train.sites import site

MAX_SITES = 2000
_CALM_SHARE = 0.25  # of hops of nothing that are kept at first: most are alike
_HARD = -2 * UNIT  # and those that the first trees nearly classified as a target
_SHARES = (0.42, 0.19, 0.1, 0.11, 0.09, 0.09)  # of weight, in the order of CLASSES


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    sites: int
    machines: int
    check: int
    seed: int
    version: int
    ground: Path | None
    cache: Path | None
    out: Path
    card: Path | None
    as_json: bool
    workers: int


def train(**given: Any) -> None:
    """Play, grow, set limits, write. Raises UserError for options out of range."""
    asked = Request(**given)
    for name, value, most in (
        ("sites", asked.sites, MAX_SITES),
        ("machines", asked.machines, MAX_SITES),
        ("check", asked.check, MAX_SITES),
        ("version", asked.version, 255),
        ("workers", asked.workers, 64),
    ):
        if not 1 <= value <= most:
            raise UserError(f"--{name}: {value} is outside 1..{most}")
    for path in (asked.out, asked.card):
        if path is not None:
            output.check(path)
    need("sklearn")  # imported after hours of simulation
    learned = [("train", str(seed)) for seed in range(1, asked.sites + 1)]
    learned += [("machines", str(seed)) for seed in range(1, asked.machines + 1)]
    checked = [("check", str(seed)) for seed in range(1, asked.check + 1)]
    if asked.ground is not None:
        for jobs, files in zip((learned, checked), real.find(asked.ground), strict=True):
            jobs += [("ground", str(path)) for path in files]
    hops = _play(learned + checked, asked.cache, asked.workers)
    trees, labels = grow(hops[: len(learned)], asked.seed)
    scored = [(one, scores(trees, one.features)) for one in hops[len(learned) :]]
    peaks = limits.quiet_peaks(scored)
    fitted = limits.fitted(peaks)
    chosen = limits.limits(fitted)
    packed = pack(trees, asked.version, chosen)
    found = limits.detected(scored, chosen)
    command = (
        f"groundwatch model train --sites {asked.sites} --machines {asked.machines} "
        f"--check {asked.check}"
    )
    output.write(asked.out, packed)
    if asked.card is not None:
        text = card(
            command=command + (" --ground FOLDER" if asked.ground is not None else ""),
            version=asked.version,
            packed=packed,
            train=asked.sites,
            machines=asked.machines,
            check=asked.check,
            real=sum(name == "ground" for name, _ in learned + checked),
            labels=labels,
            peaks=peaks,
            limits=fitted,
            found=found,
            table=limits.confusion(scored),
        )
        output.write(asked.card, text)
    if asked.as_json:
        print(
            json.dumps(
                {
                    "bytes": len(packed),
                    "hops": len(labels),
                    "onset_log_odds": {
                        name: [round(x / 64, 2) for x in (one.value, one.low, one.high)]
                        for name, one in fitted.items()
                    },
                    "found": found,
                    "quiet_days": round(peaks.days, 3),
                }
            )
        )


def grow(hops: Sequence[Hops], seed: int) -> tuple[Trees, NDArray[np.uint8]]:
    """The trees, and the labels of the hops they were trained on.

    Trained twice: hops of calm that the first trees nearly classified as a target are added.
    """
    features = np.concatenate([one.features for one in hops])
    labels = np.concatenate([one.labels for one in hops])
    if set(labels.tolist()) - {LEFT_OUT} != set(range(len(_SHARES))):
        raise UserError(f"--sites: {len(hops)} sites have nothing of some class; take more")
    rng = np.random.default_rng([seed, 44])
    kept = (labels != LEFT_OUT) & ((labels > 0) | (rng.random(labels.size) < _CALM_SHARE))
    first = fit(features[kept], labels[kept], weights(labels[kept]), seed)
    calm = np.flatnonzero(~kept & (labels == 0))
    found = scores(first, features[calm])
    kept[calm[found[:, 1:].max(axis=1) - found[:, 0] > _HARD]] = True
    return fit(features[kept], labels[kept], weights(labels[kept]), seed), labels[kept]


def weights(labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Weight of each hop, so that every class has its share of all."""
    counts = np.maximum(1, np.bincount(labels, minlength=len(_SHARES)))
    return np.asarray((np.array(_SHARES) * labels.size / counts)[labels])


def _one(job: tuple[str, str], cache: Path | None) -> Hops:
    family, what = job
    if family == "ground":
        return real.listen(Path(what), micropython.find())
    return kept(
        cache,
        f"{family}_{what}",
        lambda: listen(
            site(family, int(what)), micropython.find(), vary_spectrum=family != "check"
        ),
    )


def _play(jobs: Sequence[tuple[str, str]], cache: Path | None, workers: int) -> list[Hops]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    micropython.find()  # unpacked once, before several look for it
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        ProcessPoolExecutor(workers, context) as pool,
    ):
        task = progress.add_task(f"playing {len(jobs)} sites", total=len(jobs))
        found = []
        for one in pool.map(_one, jobs, [cache] * len(jobs)):
            found.append(one)
            progress.advance(task)
    return found
