# SPDX-License-Identifier: MIT
"""Run in a mount namespace with a tmpfs: verbs that write, on a disk that is full to the last byte,
and once more when there is room. One JSON line for each verb."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from gateway.audit.offline import Entry, record
from gateway.console.operators import Role, new_operator, save_operators
from gateway.store.sqlite import SqliteStore
from tests.gateway.played_node import write_config
from tests.gateway.small_disk import fill

PASS = "correct horse battery"
# The words after `groundwatch`; run in the folder of a site.
VERBS: dict[str, str] = {
    "init": "init new --yes",
    "operator": "operator remove eva",
    "token": "token add tak --scope read",
    "backup": "gateway backup out.gwb",
    "restore": "gateway restore kept.gwb --config restored/gateway.toml --by eva",
    "salvage": "gateway salvage --by eva",
    "map": "site map --out site.svg",
    "map again": "site map --out earlier.svg --replace",
    "recordings": "recordings takes --markdown table.md --workers 1",
    "recordings again": "recordings takes --markdown earlier.md --workers 1",
    "power": "power --battery lifepo4:6Ah --panel-w 5 --latitude 52 --plot year.svg",
    "sim export": "sim export car --seconds 5 --out car",
    "sim plot": "sim export car --seconds 5 --plot car.png",
    "record": "record n01 --label walks --background --scenario car --seconds 5 --out take",
    "score": "score --scenario car --hours 0.017 --workers 1 --markdown s.md --html s.html",
    "score into": "score --scenario car --hours 0.017 --workers 1 --into earlier.md",
    "release key": "release key --out new.key --passphrase-file pass",
    "release sign": "release sign --board pico_w --version 0.9.0 --out r.gwr --key release.key "
    "--passphrase-file pass",
    "bundle": "bundle --board pico_w --config node.toml --out tree",
}
SMALL = ("token", "backup", "recordings again", "salvage")
NODE = """\
[node]
id = "n01"
site = "north"
fleet_key = "fleet.key"
board = "pico_w"
x_m = 0
y_m = 0
[wifi]
ssid = "north"
[broker]
host = "10.0.0.1"
"""


def groundwatch(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.cli", *words.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def site(folder: Path) -> None:
    """A folder with something for every verb."""
    folder.mkdir()
    write_config(folder, "port = 0")
    for name, text in (("fleet.key", "5a" * 32), ("pass", PASS), ("node.toml", NODE)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    save_operators(folder / "operators.toml", {"eva": new_operator("eva", Role.SUPERVISOR, PASS)})
    (folder / "data").mkdir()
    entries = [Entry("eva", "test", f"entry {number}", detail={}) for number in range(500)]
    record(SqliteStore(folder / "data" / "groundwatch.db"), folder / "data", entries)
    (folder / "earlier.svg").write_text("<svg/>")
    (folder / "earlier.md").write_text("<!-- scores begin -->\nold\n<!-- scores end -->\n")
    (folder / "takes").mkdir()
    noise = np.random.default_rng(1).integers(-50, 50, 2500).astype(np.int16)
    np.savez(folder / "takes" / "a.npz", counts=noise, fs_hz=250.0)


def prepare(folder: Path, name: str) -> None:
    """What one verb needs beside it, made while there is room."""
    if name == "restore":
        assert groundwatch(folder, "gateway backup kept.gwb").returncode == 0
    if name == "release sign":
        made = groundwatch(folder, "release key --passphrase-file pass")
        assert made.returncode == 0, made.stderr


def contents(folder: Path) -> dict[str, str]:
    """Every file but locks and what SQLite keeps beside an open store."""
    return {
        str(one.relative_to(folder)): one.read_bytes().hex()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and not one.name.endswith((".lock", "-wal", "-shm"))
    }


def tried(disk: Path, name: str) -> dict[str, Any]:
    folder = disk / "site"
    site(folder)
    prepare(folder, name)
    before = contents(folder)
    fill(disk / "ballast")
    full = groundwatch(folder, VERBS[name])
    after = contents(folder)
    (disk / "ballast").unlink()
    again = groundwatch(folder, VERBS[name])
    shutil.rmtree(folder)
    return {
        "verb": name,
        "code": full.returncode,
        "out": full.stdout,
        "err": full.stderr,
        "changed": [one for one in before if after.get(one) != before[one]],
        "left": [one for one in after if one not in before],
        "again": again.returncode,
        "again_err": again.stderr[-500:],
    }


if __name__ == "__main__":
    for verb in sys.argv[2:]:
        print(json.dumps(tried(Path(sys.argv[1]), verb)), flush=True)  # for the test
