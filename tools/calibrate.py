# SPDX-License-Identifier: MIT
"""`groundwatch site calibrate`: the calibration of a site from a recorded walk test.

A walk test is a take whose truth.json holds the path of one person who walked past the nodes. The
output lines belong in the site's site.toml.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from gateway.fusion.calibrate import MIN_PASSES, MIN_SAMPLES, Calibration, calibrate
from sim_hardware import take
from tools import micropython
from tools.errors import UserError
from tools.score.observe import observe_take
from tools.score.walktest import leads, samples


def calibrate_site(takes: Sequence[Path], as_json: bool) -> None:
    """Print the lines for site.toml."""
    node = micropython.find()
    walk_samples, footfall_leads = [], []
    for number, path in enumerate(takes):
        if not path.is_dir():
            raise UserError(f"{path}: no such take folder")
        seen = observe_take(take.load(path), path.name, node, number)
        footfall_leads += leads(seen)
        for one in samples(seen):
            walk_samples.append(replace(one, walk=f"{number}/{one.walk}"))
    found = calibrate(walk_samples, leads=footfall_leads)
    if found is None:
        raise UserError(
            f"too few clear reports: {MIN_SAMPLES} in {MIN_PASSES} passes of "
            f"a node are needed; walk past the nodes again, within 20 m"
        )
    print(_json(found) if as_json else _toml(found))


def _json(found: Calibration) -> str:
    facts = {"samples": found.samples, "passes": found.passes, "gain_db": dict(found.gain_db)}
    return json.dumps({"type": "calibration", "ground": asdict(found.ground), **facts})


def _toml(found: Calibration) -> str:
    lines = [
        f"# a walk test: {found.samples} reports in {found.passes} passes of a node",
        "[ground]",
    ]
    lines += [f"{key} = {value:g}" for key, value in asdict(found.ground).items()]
    lines += ["", "# and in each [[node]]:"]
    lines += [f"# {node}: gain_db = {gain:g}" for node, gain in sorted(found.gain_db.items())]
    return "\n".join(lines)
