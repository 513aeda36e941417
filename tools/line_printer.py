# SPDX-License-Identifier: MIT
"""The gateway's output on a terminal: JSON lines, or the same as sentences."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

_MARKS = {
    "alarm": "[bold red]ALARM[/]     ",
    "alarm_update": "[red]update[/]    ",
    "detection": "[cyan]detection[/] ",
    "node_alarm": "[yellow]node[/]      ",
}


class LinePrinter:
    """Prints lines one by one; the last is the summary."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False)

    def line(self, line: dict[str, Any]) -> None:
        """Print one line of the gateway, or a summary."""
        if self.as_json:
            print(json.dumps(line), flush=True)
        elif line["type"] == "summary":
            facts = "  ".join(f"{k}={v}" for k, v in line.items() if k != "type")
            self.console.print(facts, soft_wrap=True)
        else:
            text = f"{line['t_s']:8.1f} s  {_MARKS[line['type']]}{_sentence(line)}"
            self.console.print(text, soft_wrap=True)


def _sentence(line: dict[str, Any]) -> str:
    if line["type"] == "node_alarm":
        return f"{', '.join(line['nodes'])}: {line['kind']} ({line['state']})"
    if line["type"] == "detection":
        return f"{line['class']} at {line['node']}, {line['confidence']:.0%}"
    text = f"#{line['id']} {line['class']} near {', '.join(line['nodes'])}"
    if "direction_deg" in line:
        text += f", heading {line['direction_deg']:.0f} deg"
    if "speed_m_s" in line:
        text += f", {line['speed_m_s']:.1f} m/s"
    return f"{text}: {line['reasons'][-1]}"
