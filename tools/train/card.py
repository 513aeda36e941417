# SPDX-License-Identifier: MIT
"""Train: the model card (Mitchell et al., FAT* 2019): training data, figures and limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tools.score.intervals import rate, share
from tools.train.limits import FALSE_PER_DAY, Limit, Peaks
from tools.train.listen import CLASSES, LABEL_M
from tools.train.sites import APART, HELD_OUT_SOILS, SHEAR_M_S, VALIDATION_SOILS

_TEXT = """# The model on a node

Written by `{command}`; not to be edited. Version {version}, {size:,} bytes, {trees} trees.

**What it does.** Every half second it takes {features} numbers that the node makes of the last
seconds of ground and PIR (rhythm, pulses, spectral shape), of the last half minute (a passing
target rises and falls) and of the last two minutes (steady noise and gusts), and gives a score to
each of {classes}.
It detects presence and class, never identity: it cannot distinguish one person from another.

**Training data.** {train} simulated sites, each another seed on ground drawn at random (shear
waves of {slow:g} to {fast:g} m/s, density and loss apart from them), three of five with people,
animals, vehicles and digging, the others with weather and machines only; and {machines} more
with machines only: {hops:,} hops, of which
{labels} are labelled by what the world knows to have been audible.
Half of the sites are wild: ground that resonates, echoes and disperses, stationary lines, electric
fences, shocks, vehicles and diggers with every figure drawn at random. A vehicle is labelled within
{reach:g} m: farther off, nothing separates it from one on a road. {real}

**What it was not trained on.** Ground whose waves are as fast, within {apart:.1f} %, as those of
the soils of the held-out suite ({held_out}). The known kinds of vehicles
and machines have no soil of their own in these worlds: of them only the suite's seeds are new.

**How its limits were set.** On {check} sites of {soil}, every second one wild, which no tree was
trained on, so that noise passes {false[group]:g} times a day for a group or an animal at the most;
for a person {false[person]:g}; for a vehicle {false[vehicle]:g}, since a third of these sites
hum all day with helicopters, pumps or a road, and for digging as often, since its strokes have
to repeat as well. A generalised
Pareto distribution is fitted to the highest peaks; brackets hold 90 % of fits to as many drawn
ones. The held-out suite (seeds from 9001 on) was opened after that: [scores](scores.md).

### On the sites where limits were set

| class | onset at, log-odds (90 %) | peaks | stretches found | share (95 %) |
|---|---|---|---|---|
{rows}

Quiet ground of {days:.2f} node-days gave {alarms} false onsets: {per_day} a day. These
figures choose limits; they are no test.

### Hops (rows) by the highest score (columns), in percent

| truth | {heads} |
|---|{lines}|
{table}

**Limits.** Simulated ground is easier than real ground: animals never stop, and machines are of
four kinds. Sneaking walkers are not detected. A node classifies a group as a person when only one
of the group is near. Results on real ground: [recordings](recordings.md).
"""


def card(
    *,
    command: str,
    version: int,
    packed: bytes,
    train: int,
    machines: int,
    check: int,
    real: int,
    labels: NDArray[np.uint8],
    peaks: Peaks,
    limits: Mapping[str, Limit],
    found: Mapping[str, tuple[int, int]],
    table: NDArray[np.int64],
) -> str:
    """The card as Markdown; `labels` are those that the trees were trained on."""
    onsets = [(packed[8 + index] - 128) * 4 for index in range(5)]
    alarms = sum(
        level > onsets[index - 1] for index, levels in peaks.levels.items() for level in levels
    )
    rows = []
    for index, name in enumerate(CLASSES[1:]):
        hits, of = found[name]
        interval = share(hits, of)
        one = limits[name]
        rows.append(
            f"| {name} | {onsets[index] / 64:.2f} ({one.low / 64:.2f}-{one.high / 64:.2f}) |"
            f" {one.peaks} | {hits} of {of} |"
            f" {100 * interval.value:.1f} % ({100 * interval.low:.1f}-{100 * interval.high:.1f}) |"
        )
    of_class = 100 * table / np.maximum(1, table.sum(axis=1, keepdims=True))
    lines = [
        f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in row) + " |"
        for name, row in zip(CLASSES, of_class, strict=True)
    ]
    passed = rate(alarms, peaks.days)
    counts = np.bincount(labels, minlength=len(CLASSES))
    return _TEXT.format(
        command=command,
        version=version,
        size=len(packed),
        trees=int.from_bytes(packed[6:8], "little"),
        features=packed[5],
        classes=", ".join(CLASSES),
        train=train,
        machines=machines,
        check=check,
        slow=SHEAR_M_S[0],
        fast=SHEAR_M_S[1],
        reach=LABEL_M["vehicle"],
        apart=100 * APART,
        held_out=", ".join(HELD_OUT_SOILS),
        soil=", ".join(VALIDATION_SOILS),
        hops=int(labels.size),
        real=(
            f"{real} recordings of real ground took part, half of them for limits only."
            if real
            else "No recording took part."
        ),
        labels=", ".join(f"{count:,} {name}" for count, name in zip(counts, CLASSES, strict=True)),
        false=FALSE_PER_DAY,
        rows="\n".join(rows),
        days=peaks.days,
        alarms=alarms,
        per_day=f"{passed.value:.2f} ({passed.low:.2f}-{passed.high:.2f})",
        heads=" | ".join(CLASSES),
        lines="|".join(["---"] * len(CLASSES)),
        table="\n".join(lines),
    )
