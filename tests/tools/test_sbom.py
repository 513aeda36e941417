# SPDX-License-Identifier: MIT
"""`make sbom`: a CycloneDX file that names every locked package."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import ROOT

LOCK = ROOT / "requirements.lock"


def locked() -> dict[tuple[str, str], set[str]]:
    """SHA-256 of each package, by name and version."""
    joined = LOCK.read_text().replace("\\\n", " ")
    found = {}
    for line in joined.splitlines():
        if match := re.match(r"([\w.\-]+)==(\S+)", line):
            found[match[1], match[2]] = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


def recipe() -> list[str]:
    """The command that make would run."""
    ran = subprocess.run(
        ["make", "--no-print-directory", "-n", "sbom"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    words = shlex.split(ran.stdout.replace("\\\n", " ").strip().splitlines()[-1])
    assert words[0] == ".venv/bin/python"
    return words[1:]


def test_sbom_names_every_locked_package_with_version_and_hashes(tmp_path: Path) -> None:
    words = recipe()
    out = tmp_path / "sbom.json"
    words[words.index("build/sbom.json")] = str(out)
    ran = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    bom = json.loads(out.read_text())
    assert (bom["bomFormat"], bom["metadata"]["component"]["name"]) == ("CycloneDX", "groundwatch")
    found = {
        (one["name"], one["version"]): {
            digest["content"]
            for reference in one["externalReferences"]
            for digest in reference.get("hashes", [])
            if digest["alg"] == "SHA-256"
        }
        for one in bom["components"]
    }
    assert len(found) > 30
    assert found == locked()
