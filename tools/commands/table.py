# SPDX-License-Identifier: MIT
"""The table of all verbs; none of their modules is imported here."""

from __future__ import annotations

from tools.commands import bench_verbs, site_verbs

GROUPS = (*site_verbs.GROUPS, *bench_verbs.GROUPS)
VERBS = (*bench_verbs.VERBS, *site_verbs.VERBS)

# Former name -> present name, for one version.
FORMER = {
    "calibrate": "site calibrate",
    "calibrate-confidence": "model calibrate",
    "export": "alarm export",
    "flash": "node flash",
    "monitor": "node monitor",
    "outputs": "connector",
    "policies": "model policies",
    "provision": "node provision",
    "reload": "gateway reload",
    "salvage": "gateway salvage",
    "train": "model train",
    "tune": "model tune",
    "update": "node update",
}
