# SPDX-License-Identifier: MIT
"""`groundwatch sim list`: the built-in scenarios, without loading the simulator."""

from __future__ import annotations

import json
import textwrap
import tomllib
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

import sim_hardware

_SCENARIOS = Path(sim_hardware.__file__).parent / "scenarios"
_MIN_WIDTH = 30  # of the column of words


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON lines")
def list_scenarios(as_json: bool) -> None:
    """One line for each; the files are our own, so they are read without checks."""
    rows = [_row(path) for path in sorted(_SCENARIOS.glob("*.toml"))]
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    name_width = max(len(row["name"]) for row in rows)
    width = max(_MIN_WIDTH, get_terminal_size().columns - name_width - 10)
    print(f"{'scenario':<{name_width}}  nodes  description")
    for row in rows:
        first, *more = textwrap.wrap(row["about"], width) or [""]
        print(f"{row['name']:<{name_width}}  {row['nodes']:>5}  {first}")
        for line in more:
            print(f"{'':<{name_width + 9}}{line}")


def _row(path: Path) -> dict[str, Any]:
    scenario = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    nodes = len(scenario.get("node", ())) + scenario.get("line", {}).get("nodes", 0)
    return {"name": path.stem, "nodes": nodes, "about": scenario["site"].get("about", "")}
