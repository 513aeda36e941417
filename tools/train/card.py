# SPDX-License-Identifier: MIT
"""Train: the model card (Mitchell et al., FAT* 2019): what it was made of, what it is not for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tools.score.intervals import rate, share
from tools.train.limits import FALSE_PER_DAY, Peaks
from tools.train.listen import CLASSES
from tools.train.sites import SOILS, VALIDATION_SOILS

_TEXT = """# The model on a node

Written by `{command}`; not to be edited. Version {version}, {size:,} bytes, {trees} trees.

**What it does.** Every half second it takes {features} numbers that the node makes of the last 2 to
16 s of ground and PIR, and gives a score to each of {classes}.
It senses presence and kind, never identity: nothing in it can tell one person from another.

**What it was made of.** {train} simulated sites on {soils}, each another seed, three of five with
people, animals, vehicles and digging, the others with weather, machines and nobody: {hops:,} hops
of which {told} are told by what the world knows to have been audible. Every node's ground got
a colour of its own at random. No recording took part.

**How its limits were set.** On {check} sites of {soil}, which no tree has seen, so that noise
passes {false:g} times a day for each class at the most, by the tail of its peaks. The held-out
suite (firm ground and clay, seeds from 9001 on) was opened after that: [scores](scores.md).

### On the sites where limits were set

| class | onset at, log-odds | stretches found | share (95 %) |
|---|---|---|---|
{rows}

Quiet ground of {days:.2f} node-days gave {alarms} false onsets: {per_day} a day. These
figures choose limits; they are no test.

### Hops (rows) by the highest score (columns), in percent

| truth | {heads} |
|---|{lines}|
{table}

**Limits.** Simulated ground is kinder than earth: no dispersion, animals that never stop, machines
of four kinds. Sneaking walkers are not found. A group of which one is near is a person to one node.
What it makes of real ground: [recordings](recordings.md).
"""


def card(
    *,
    command: str,
    version: int,
    packed: bytes,
    train: int,
    check: int,
    labels: NDArray[np.uint8],
    peaks: Peaks,
    found: Mapping[str, tuple[int, int]],
    table: NDArray[np.int64],
) -> str:
    """The card as Markdown; `labels` are those that trees were grown on."""
    onsets = [(packed[8 + index] - 128) * 4 for index in range(5)]
    alarms = sum(
        level > onsets[index - 1] for index, levels in peaks.levels.items() for level in levels
    )
    rows = []
    for index, name in enumerate(CLASSES[1:]):
        hits, of = found[name]
        interval = share(hits, of)
        rows.append(
            f"| {name} | {onsets[index] / 64:.1f} | {hits} of {of} |"
            f" {100 * interval.value:.1f} % ({100 * interval.low:.1f}-{100 * interval.high:.1f}) |"
        )
    of_class = 100 * table / np.maximum(1, table.sum(axis=1, keepdims=True))
    lines = [
        f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in row) + " |"
        for name, row in zip(CLASSES, of_class, strict=True)
    ]
    false = rate(alarms, peaks.days)
    counts = np.bincount(labels, minlength=len(CLASSES))
    return _TEXT.format(
        command=command,
        version=version,
        size=len(packed),
        trees=int.from_bytes(packed[6:8], "little"),
        features=packed[5],
        classes=", ".join(CLASSES),
        train=train,
        check=check,
        soils=", ".join(SOILS),
        soil=", ".join(VALIDATION_SOILS),
        hops=int(labels.size),
        told=", ".join(f"{count:,} {name}" for count, name in zip(counts, CLASSES, strict=True)),
        false=FALSE_PER_DAY,
        rows="\n".join(rows),
        days=peaks.days,
        alarms=alarms,
        per_day=f"{false.value:.2f} ({false.low:.2f}-{false.high:.2f})",
        heads=" | ".join(CLASSES),
        lines="|".join(["---"] * len(CLASSES)),
        table="\n".join(lines),
    )
