# SPDX-License-Identifier: MIT
"""A full disk at each verb that writes: one line, exit code 2, nothing lost, and the same command
succeeds when there is room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.faults.full_disk import SMALL, VERBS

_MOUNT = 'mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"'


def results(disk: Path, verbs: Sequence[str]) -> list[dict[str, Any]]:
    disk.mkdir()
    ran = subprocess.run(
        [
            *("unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", str(disk)),
            *(sys.executable, "-m", "tests.faults.full_disk", str(disk), *verbs),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if "unshare failed" in ran.stderr:
        pytest.skip(f"this machine does not permit mounts: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(
    "verbs",
    [
        pytest.param(SMALL, id="some"),
        pytest.param(
            tuple(one for one in VERBS if one not in SMALL),
            id="others",
            marks=pytest.mark.faults,
        ),
    ],
)
def test_full_disk_at_a_verb_is_one_line_and_destroys_nothing(
    verbs: Sequence[str], tmp_path: Path
) -> None:
    found = results(tmp_path / "disk", verbs)
    assert [one["verb"] for one in found] == list(verbs)
    for one in found:
        assert one["code"] == 2, one
        lines = [line for line in one["err"].splitlines() if line]  # a progress bar ends its own
        assert len(lines) == 1 and lines[0].startswith("groundwatch: "), one
        assert "space" in lines[0] or "full" in lines[0], one
        assert (one["changed"], one["left"]) == ([], []), one
        assert one["again"] == 0, one
    print(f"\nfull disk at {len(found)} verbs: one line each, 0 files changed or left behind")
