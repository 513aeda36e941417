# SPDX-License-Identifier: MIT
"""Record: the data sheet of a set: content, people, ground and known faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.record.marks import Mark
from tools.record.recording import Recording

VERSION = 1
_ROWS = (
    ("Takes", "takes"),
    ("Hours", "hours"),
    ("Hours of background", "hours_background"),
    ("People", "people"),
    ("Marks", "marks"),
    ("Types of place", "places"),
    ("Soils", "soils"),
    ("Sensors", "sensors"),
    ("Gains", "gains"),
    ("Boards", "boards"),
    ("Firmware", "firmware"),
    ("Simulated takes", "simulated_takes"),
    ("Samples lost", "samples_lost"),
    ("Samples clipped", "samples_clipped"),
    ("PIR edges lost", "pir_edges_lost"),
)


@dataclass(frozen=True)
class Described:
    """One take of the set: its folder's name, its recording.json, its marks."""

    name: str
    recording: Recording
    marks: Sequence[Mark]


def sheet(takes: Sequence[Described], title: str) -> dict[str, Any]:
    """The data sheet as JSON has it."""
    recordings = [one.recording for one in takes]
    labels = Counter(mark.label.text for one in takes for mark in one.marks)
    return {
        "version": VERSION,
        "title": title,
        "takes": len(takes),
        "hours": _hours(recordings),
        "hours_background": _hours(one for one in recordings if one.background),
        "people": sorted({person for one in recordings for person in one.people}),
        "marks": sum(labels.values()),
        "marks_by_label": dict(sorted(labels.items())),
        "places": _different(one.place for one in recordings),
        "soils": _different(one.soil for one in recordings),
        "sensors": _different(one.sensor for one in recordings),
        "gains": _different(one.gain for one in recordings),
        "boards": _different(one.board for one in recordings),
        "firmware": _different(one.firmware for one in recordings),
        "simulated_takes": sum(one.source == "simulated" for one in recordings),
        "samples_lost": sum(one.samples_lost for one in recordings),
        "samples_clipped": sum(one.samples_clipped for one in recordings),
        "pir_edges_lost": sum(one.pir_edges_lost for one in recordings),
        "faults": [
            {"take": one.name, "fault": fault} for one in takes for fault in one.recording.faults
        ],
        "each": [_row(one) for one in takes],
    }


def markdown(table: dict[str, Any]) -> str:
    """The same to read."""
    lines = [f"# {table['title']}", "", "Data sheet of a set of recordings.", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {name} | {_shown(table[key])} |" for name, key in _ROWS]
    lines += ["", "## Known faults", ""]
    lines += [f"- {one['take']}: {one['fault']}" for one in table["faults"]] or ["None known."]
    lines += ["", "## Marks", "", "| label | marks |", "|---|---|"]
    lines += [f"| {label} | {count} |" for label, count in table["marks_by_label"].items()]
    lines += ["", "## Takes", ""]
    lines += ["| take | label | people | minutes | soil | board | samples lost |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [
        f"| {one['take']} | {one['label']} | {_shown(one['people'])} | {one['minutes']} "
        f"| {one['soil']} | {one['board']} | {one['samples_lost']} |"
        for one in table["each"]
    ]
    lines += [
        "",
        "Each take is a folder as `groundwatch replay` reads it: `site.toml`, the samples and PIR",
        "edges of its node in `NODE.npz`, `recording.json`, `marks.json`, and `truth.json` where",
        "the marks state where people walked. `SHA256SUMS` has the check sum of every file.",
    ]
    return "\n".join(lines) + "\n"


def _row(one: Described) -> dict[str, Any]:
    recording = one.recording
    return {
        "take": one.name,
        "label": recording.label,
        "people": recording.people,
        "background": recording.background,
        "minutes": round(recording.duration_s / 60, 2),
        "place": recording.place,
        "soil": recording.soil,
        "sensor": recording.sensor,
        "gain": recording.gain,
        "board": recording.board,
        "firmware": recording.firmware,
        "marks": len(one.marks),
        "samples_lost": recording.samples_lost,
    }


def _hours(recordings: Iterable[Recording]) -> float:
    return round(sum(one.duration_s for one in recordings) / 3600, 4)


def _different(words: Iterable[str]) -> list[str]:
    return sorted(set(words))


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return (text or "-").replace("|", "/")
