# SPDX-License-Identifier: MIT
"""`groundwatch record`: a labelled take of all samples and PIR edges of one node."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tools import output
from tools.errors import UserError
from tools.flash.ports import ports, the_port
from tools.record import cable, protocol
from tools.record.keyboard import Keyboard
from tools.record.marks import LABEL_MAX, Marker, parse_keys, read_marks
from tools.record.people import parse_people, read_people
from tools.record.recording import TEXT_MAX, Recording
from tools.record.session import Session
from tools.record.session import run as record
from tools.record.source import Source
from tools.record.write import Described, write_take

_SECONDS_MAX = 14_400
_SIMULATED_S, _SIMULATED_MAX_S = 120.0, 3_600.0
_SPARE_S = 60  # the node ends a stream by itself so much later
_ROOM_S = 3.0  # for the start of a simulated node
_NODE = re.compile(r"[a-z0-9_-]{1,16}")
_PLAIN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    node: str | None
    label: str | None
    protocol: bool
    out: Path | None
    port: str | None
    scenario: Path | None
    seed: int
    seconds: float | None
    keys: str | None
    marks: Path | None
    people: str | None
    background: bool
    class_name: str
    count: int
    at: str
    place: str
    soil: str
    sensor: str
    gain: str
    fault: tuple[str, ...]
    as_json: bool


def take(**given: Any) -> int:
    """Record one take. 1 when the node or the cable broke it off; its samples so far are kept."""
    asked = Request(**given)
    if asked.protocol:
        print(protocol.text(), end="")
        return 0
    node, described, out, seconds = _checked(asked)
    keys = parse_keys(asked.keys)
    listed = read_marks(asked.marks) if asked.marks is not None else []
    marker = Marker(keys)
    with (
        _source(asked, node, seconds) as source,
        Keyboard() as keyboard,
        _shown(asked.as_json, marker, keyboard.is_there, seconds) as show,
    ):
        session = record(source, node, marker, keyboard, seconds, show)
    every = sorted([*listed, *session.marks], key=lambda mark: mark.t_s)
    marks = [mark for mark in every if mark.t_s <= session.seconds]
    recording = write_take(session, marks, described, out)
    _summarise(asked.as_json, recording, out, len(marks), len(every) - len(marks))
    return 1 if any(one.startswith("broken off") for one in recording.faults) else 0


def _checked(asked: Request) -> tuple[str, Described, Path, float | None]:
    if asked.node is None or not _NODE.fullmatch(asked.node):
        raise UserError('name a node, e.g. groundwatch record n07 --label "p03 walks 5-40 m"')
    people = parse_people(asked.people)
    if asked.background and people:
        raise UserError("--background is a take without people: leave out --people")
    label = asked.label or ("background" if asked.background else "")
    for name in ("label", "place", "soil", "sensor", "gain"):
        text = label if name == "label" else getattr(asked, name)
        if not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
            raise UserError(f'--{name} takes 1 to {TEXT_MAX} characters, e.g. --{name} "walks"')
    for text in asked.fault:
        if not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
            raise UserError(f"--fault takes 1 to {TEXT_MAX} characters")
    if not 1 <= asked.count <= 100:
        raise UserError("--count must be from 1 to 100")
    x_m, y_m = _place(asked.at)
    out = asked.out or Path("takes") / _folder_name(asked.node, label)
    if out.exists():
        raise UserError(f"{out} exists already; give a new folder")
    output.check_folder(out)
    label = read_people(out.parent).pseudonymised(label)
    described = Described(
        label=label,
        people=people,
        background=asked.background,
        class_name=asked.class_name,
        count=asked.count,
        place=asked.place,
        soil=asked.soil,
        sensor=asked.sensor,
        gain=asked.gain,
        faults=list(asked.fault),
        x_m=x_m,
        y_m=y_m,
        is_simulated=asked.scenario is not None,
    )
    return asked.node, described, out, _seconds(asked)


def _seconds(asked: Request) -> float | None:
    most = _SECONDS_MAX if asked.scenario is None else _SIMULATED_MAX_S
    if asked.seconds is None:
        return None if asked.scenario is None else _SIMULATED_S
    if not 1 <= asked.seconds <= most:
        raise UserError(f"--seconds must be from 1 to {most:g}")
    return float(asked.seconds)


def _place(text: str) -> tuple[float, float]:
    try:
        x_m, y_m = (float(part) for part in text.split(","))
    except ValueError:
        x_m = y_m = float("nan")
    if not (abs(x_m) <= 1e4 and abs(y_m) <= 1e4):  # nan compares false
        raise UserError(f"--at {text!r} must be metres east and north, as in --at 75,12.5")
    return x_m, y_m


def _folder_name(node: str, label: str) -> str:
    words = _PLAIN.sub("-", label.lower()).strip("-")[:LABEL_MAX]
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{node}-{words or 'take'}"


@contextlib.contextmanager
def _source(asked: Request, node: str, seconds: float | None) -> Iterator[Source]:
    if asked.scenario is not None:
        if asked.seed < 0:
            raise UserError("--seed must be 0 or more")
        assert seconds is not None
        from tools.record import simulated  # the simulator is an extra

        spec = simulated.spec_of(asked.scenario, node)
        length = round(seconds + _ROOM_S)
        with (
            simulated.streaming(asked.scenario, spec, asked.seed, length) as port,
            Source(port) as source,
        ):
            yield source
        return
    try:
        port = the_port(asked.port, ports())
    except UserError as error:
        raise UserError(
            f"{error}; a node in the field sends no more than 8 s of samples over its radio link "
            "(groundwatch node snippet), so record at its USB cable"
        ) from None
    cable.ask_to_stream(port, node, min(_SECONDS_MAX, round(seconds or 1e9) + _SPARE_S))
    with Source(port) as source:
        yield source


@contextlib.contextmanager
def _shown(
    as_json: bool, marker: Marker, has_keys: bool, seconds: float | None
) -> Iterator[Callable[[Session, str], None]]:
    console = Console(stderr=True, highlight=False)
    if has_keys:
        console.print(marker.hint(), markup=False, soft_wrap=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("waits for the node", total=seconds)

        has_started = False

        def show(session: Session, pressed: str) -> None:
            nonlocal has_started
            if session.facts is not None:
                if as_json and not has_started and session.signal.size:
                    has_started = True
                    print(json.dumps({"type": "start", "node": session.facts.node}), flush=True)
                words = f"{session.facts.node} {session.seconds:.0f} s, "
                words += f"{session.signal.lost_samples} samples lost"
                bar.update(task, completed=session.seconds, description=words)
            if pressed and as_json:
                line = {"type": "mark", "t_s": round(session.seconds, 1), "label": pressed}
                print(json.dumps(line), flush=True)
            elif pressed:
                bar.console.print(f"{session.seconds:7.1f} s  {pressed}", markup=False)

        yield show


def _summarise(as_json: bool, recording: Recording, out: Path, marks: int, late: int) -> None:
    if as_json:
        counts = {"take": str(out), "marks": marks, "marks_after_end": late}
        facts = msgspec.to_builtins(recording)
        print(json.dumps({"type": "summary", **counts, **facts}))
        return
    console = Console(highlight=False)
    words = (
        f"{recording.node}: {recording.duration_s:.1f} s, {marks} marks, "
        f"{recording.pir_edges} PIR edges, {recording.samples_lost} samples lost, "
        f"{recording.samples_clipped} clipped"
    )
    console.print(words, markup=False, soft_wrap=True)
    if late:
        console.print(f"{late} marks are after the end of the take and were left out")
    for fault in recording.faults:
        console.print(f"fault: {fault}", markup=False, soft_wrap=True)
    console.print(str(out), markup=False, soft_wrap=True)
