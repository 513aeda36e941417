# SPDX-License-Identifier: MIT
"""`make mutants`: how many small faults in the code the tests see.

Each mutant is tried in a copy of the working tree. A mutant is killed when a test fails or does not
end in time. Survivors that change nothing a user or a node can see are explained in
explained.toml; the others are printed, and the exit code is 1 where there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant, difference, sample
from tests.mutation.targets import TARGETS, Target

ROOT = Path(__file__).resolve().parent.parent.parent
_EXPLAINED = Path(__file__).with_name("explained.toml")
_MIN_LIMIT_S = 60.0


def _copy(folder: Path) -> Path:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def _fails(folder: Path, tests: Sequence[str], limit_s: float) -> bool:
    """Whether a test fails in the copy, or they take longer than the limit."""
    words = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-n", "0", *tests]
    paths = f"{folder}{os.pathsep}{folder / 'firmware'}"
    with subprocess.Popen(
        [sys.executable, "-B", "-m", "pytest", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(limit_s) != 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return True


def _try(copies: queue.Queue[Path], mutant: Mutant, tests: Sequence[str], limit_s: float) -> bool:
    """Whether the tests kill the mutant."""
    folder = copies.get()
    path = folder / mutant.path
    source = path.read_text()
    try:
        path.write_text(mutant.code(source) or source)
        return _fails(folder, tests, limit_s)
    finally:
        path.write_text(source)
        copies.put(folder)


def _explained() -> dict[tuple[str, str, str], str]:
    rows = tomllib.loads(_EXPLAINED.read_text()).get("mutant", [])
    return {(row["file"], row["before"], row["after"]): row["why"] for row in rows}


def _paths(target: Target) -> list[str]:
    found = {p for pattern in target.modules for p in ROOT.glob(pattern)}
    return sorted(str(p.relative_to(ROOT)) for p in found if p.name != "__init__.py")


def _run(
    name: str, copies: queue.Queue[Path], workers: int, count: int, seed: int
) -> dict[str, Any]:
    """Figures of one target, and its survivors."""
    target, why = TARGETS[name], _explained()
    sources = {path: (ROOT / path).read_text() for path in _paths(target)}
    mutants = sample(ROOT, list(sources), count, random.Random(f"{seed} {name}"))
    mutants = [one for one in mutants if one.code(sources[one.path]) is not None]
    first = copies.get()
    started_s = time.monotonic()
    if _fails(first, target.tests, 3600.0):
        raise SystemExit(f"{name}: the tests fail without a mutant; run them first")
    limit_s = max(_MIN_LIMIT_S, 4 * (time.monotonic() - started_s))
    copies.put(first)
    survivors, killed = [], 0
    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(lambda one: _try(copies, one, target.tests, limit_s), mutants)
        for number, (mutant, is_killed) in enumerate(zip(mutants, outcomes, strict=True), 1):
            killed += is_killed
            before, after = difference(
                sources[mutant.path], mutant.code(sources[mutant.path]) or ""
            )
            if not is_killed:
                reason = why.get((mutant.path, before, after))
                survivors.append(
                    {
                        "file": mutant.path,
                        "line": mutant.line,
                        "before": before,
                        "after": after,
                        "why": reason,
                    }
                )
            state = "killed" if is_killed else "SURVIVED"
            print(f"{name} {number}/{len(mutants)} {state} {mutant.path}:{mutant.line} {after}")
    return {"mutants": len(mutants), "killed": killed, "survivors": survivors}


def main() -> int:
    """0 where every survivor is explained."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    parser.add_argument("--sample", type=int, default=40, help="mutants of each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    asked = parser.parse_args()
    if asked.sample < 1 or asked.workers < 1:
        parser.error("--sample and --workers are at least 1")
    results = {}
    with tempfile.TemporaryDirectory(prefix="groundwatch-mutants-") as folder:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(asked.workers):
            copies.put(_copy(Path(folder) / str(number)))
        for name in asked.target or TARGETS:
            results[name] = _run(name, copies, asked.workers, asked.sample, asked.seed)
    open_ones = 0
    for name, row in results.items():
        explained = sum(one["why"] is not None for one in row["survivors"])
        open_ones += len(row["survivors"]) - explained
        share = 100 * (row["killed"] + explained) / max(1, row["mutants"])
        print(
            f"{name}: {row['killed']} of {row['mutants']} killed, {explained} explained: "
            f"{share:.0f} %  (seed {asked.seed})"
        )
    if asked.json is not None:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
