# SPDX-License-Identifier: MIT
"""Score: what nodes report of a world, kept in a folder for later runs.

To observe a world takes minutes, to step a gateway over its reports a second. A long fit that was
stopped continues from what is kept. The name of a file is a hash of all that it depends on: the
job, the firmware, the simulator and the code of the observation. An unreadable file is made again.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal, overload

import msgspec

from gateway.files import write_atomic
from gateway.fusion.calibrate import calibrate
from tools.errors import UserError
from tools.score.observe import Observation, observe_world
from tools.score.suite import WorldJob
from tools.score.walktest import leads, samples, walk_test

_ROOT = Path(__file__).parents[2]
_SOURCES = (
    "firmware/**/*",
    "sim_hardware/**/*",
    "tools/score/observe.py",
    "tools/score/truth.py",
    "tools/score/walktest.py",
    "gateway/fusion/calibrate.py",
)
_ENDS = frozenset({".py", ".bin", ".toml"})


@overload
def kept(
    job: WorldJob, node: Path, folder: Path | None, only: Literal[False] = False
) -> Observation: ...


@overload
def kept(job: WorldJob, node: Path, folder: Path | None, only: bool) -> Observation | None: ...


def kept(job: WorldJob, node: Path, folder: Path | None, only: bool = False) -> Observation | None:
    """What the nodes of a world report, from the folder when it is there. With `only`, None where
    it is not there. Raises UserError."""
    if folder is None:
        return observed(job, node)
    path = folder / f"{sha256(f'{_sources()} {job!r}'.encode()).hexdigest()[:32]}.msgpack"
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Observation)
    except (FileNotFoundError, msgspec.MsgspecError):
        pass
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if only:
        return None
    seen = observed(job, node)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, msgspec.msgpack.encode(seen), 0o644)
    except OSError as error:
        raise UserError(f"cannot keep {path}: {error.strerror}") from None
    return seen


@cache
def _sources() -> str:
    digest = sha256()
    found = {path for pattern in _SOURCES for path in _ROOT.glob(pattern)}
    for path in sorted(path for path in found if path.suffix in _ENDS):
        digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def observed(job: WorldJob, node: Path) -> Observation:
    """What the nodes of a world report, with its walk test where it has one."""
    seen = observe_world(job.scenario, job.seed, job.duration_s, node, job.link)
    seen = dataclasses.replace(seen, clock_ms=job.clock_ms)
    if not job.walk_test:
        return seen
    test, needed_s = walk_test(job.scenario)
    walk = observe_world(test, job.seed, needed_s, node)
    found = calibrate(samples(walk), leads=leads(walk))
    if found is None:
        raise UserError(f"{job.scenario.name} seed {job.seed}: too few reports of the walk test")
    return dataclasses.replace(seen, calibration=found)
