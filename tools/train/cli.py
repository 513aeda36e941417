# SPDX-License-Identifier: MIT
"""Train: `groundwatch train`, from a seed to the model file and its card."""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tools import micropython
from tools.errors import UserError
from tools.train import limits
from tools.train.card import card
from tools.train.fit import UNIT, Trees, fit, pack, scores
from tools.train.listen import LEFT_OUT, Heard, listen
from tools.train.sites import site

SITES_MOST = 2000
_CALM_SHARE = 0.25  # of hops of nothing that are kept at first: most are alike
_HARD = -2 * UNIT  # and those that the first trees nearly took for something
_SHARES = (0.42, 0.19, 0.1, 0.11, 0.09, 0.09)  # of weight, in the order of CLASSES
_CHECK_FROM = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch train`."""
    parser.add_argument("--sites", type=int, default=151, help="to learn from (default 151)")
    parser.add_argument(
        "--machines", type=int, default=60, help="more of them, where nobody is (default 60)"
    )
    parser.add_argument("--check", type=int, default=60, help="to set limits on (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the trees (default 1)")
    parser.add_argument("--version", type=int, default=2, help="of the model, 1..255 (default 2)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the model")
    parser.add_argument("--card", type=Path, metavar="FILE", help="the model card, Markdown")
    parser.add_argument("--json", action="store_true", help="a line of JSON at the end")
    parser.add_argument(
        "--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes (default 2)"
    )


def run(args: argparse.Namespace) -> int:
    """Listen, grow, set limits, write. Raises UserError for options out of range."""
    for name, value, most in (
        ("sites", args.sites, SITES_MOST),
        ("machines", args.machines, SITES_MOST),
        ("check", args.check, SITES_MOST),
        ("version", args.version, 255),
        ("workers", args.workers, 64),
    ):
        if not 1 <= value <= most:
            raise UserError(f"--{name}: {value} is outside 1..{most}")
    if importlib.util.find_spec("sklearn") is None:  # an extra: nobody else needs it
        raise UserError("scikit-learn is missing: pip install -e '.[train]'")
    jobs = [("train", seed) for seed in range(1, args.sites + 1)]
    jobs += [("machines", seed) for seed in range(1, args.machines + 1)]
    learned = len(jobs)
    jobs += [("check", seed) for seed in range(_CHECK_FROM, _CHECK_FROM + args.check)]
    heard = _listen(jobs, args.workers)
    trees, labels = grow(heard[:learned], args.seed)
    checked = [(one, scores(trees, one.features)) for one in heard[learned:]]
    peaks = limits.quiet_peaks(checked)
    chosen_limits = limits.limits(peaks)
    packed = pack(trees, args.version, chosen_limits)
    found = limits.detected(checked, chosen_limits)
    command = (
        f"groundwatch train --sites {args.sites} --machines {args.machines} --check {args.check}"
    )
    _write(args.out, packed)
    if args.card is not None:
        text = card(
            command=command,
            version=args.version,
            packed=packed,
            train=args.sites,
            machines=args.machines,
            check=args.check,
            labels=labels,
            peaks=peaks,
            found=found,
            table=limits.confusion(checked),
        )
        _write(args.card, text.encode())
    if args.json:
        onsets = [(value - 128) / 16 for value in chosen_limits[:5]]
        print(
            json.dumps(
                {
                    "bytes": len(packed),
                    "hops": len(labels),
                    "onset_log_odds": onsets,
                    "found": found,
                    "quiet_days": round(peaks.days, 3),
                }
            )
        )
    return 0


def grow(heard: Sequence[Heard], seed: int) -> tuple[Trees, NDArray[np.uint8]]:
    """The trees, and the labels of the hops they were grown on.

    Twice: what the first trees nearly took for something is worth more than the rest of the calm.
    """
    features = np.concatenate([one.features for one in heard])
    labels = np.concatenate([one.labels for one in heard])
    if set(labels.tolist()) - {LEFT_OUT} != set(range(len(_SHARES))):
        raise UserError(f"--sites: {len(heard)} sites have nothing of some class; take more")
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


def _one(job: tuple[str, int]) -> Heard:
    family, seed = job
    return listen(site(family, seed), micropython.find(), recolour=family != "check")


def _listen(jobs: Sequence[tuple[str, int]], workers: int) -> list[Heard]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    micropython.find()  # unpacked once, before several look for it
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
        ProcessPoolExecutor(workers, context) as pool,
    ):
        task = progress.add_task(f"listening to {len(jobs)} sites", total=len(jobs))
        found = []
        for one in pool.map(_one, jobs):
            found.append(one)
            progress.advance(task)
    return found


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
