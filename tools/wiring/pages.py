# SPDX-License-Identifier: MIT
"""docs/boards: a page, a diagram and a parts list for each supported board."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tools.boards import BOARDS, NODE_HEAP, BoardRow
from tools.flash.boards import kind_named
from tools.wiring import wake
from tools.wiring.amplifier import Component, Figures, figures, table, written
from tools.wiring.diagram import draw_board
from tools.wiring.rows import Stated, Wired, supported
from tools.wiring.schematic import draw_amplifier

_MADE = "<!-- Written by `python -m tools.wiring` from tools/wiring and firmware/boards. -->\n"


def files() -> dict[str, str]:
    """Every generated file by its name in docs/boards."""
    made = {"README.md": _index()}
    for board in supported():
        wiring = None if board.family.has_amplifier else _geophone_wiring(board.name)
        made[f"{board.name}.md"] = _page(board, wiring)
        made[f"{board.name}.svg"] = draw_board(board, wiring)
        if board.family.has_amplifier:
            pin = board.pin("geophone")
            made[f"{board.name}-amplifier.svg"] = draw_amplifier(
                table(), pin, board.family.analog_ground
            )
        if board.family.has_wake:
            made[f"{board.name}-wake.svg"] = wake.draw(wake.table(), _wake_figures())
    return made


def write(folder: Path) -> None:
    """All of them; folders are made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8")


def stale(folder: Path) -> list[str]:
    """The names of files that are missing or differ from what would be written."""
    return [
        name
        for name, content in files().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content
    ]


def _geophone_wiring(name: str) -> str:
    # Of a board whose converter takes the coil itself: the text of the firmware's own page.
    return next(row[2] for row in kind_named(name).wiring() if row[0] == "geophone")


def _index() -> str:
    rows = [
        f"| [{board.row.title}]({board.name}.md) | `{board.name}` | {board.row.part} |"
        for board in supported()
    ]
    text = _template("index").format(rows="\n".join(rows))
    lines = ["# Boards", _MADE, text.rstrip()]
    lines += ["", *(f"Not supported: `{row.name}`, {row.unsupported}." for row in _unsupported())]
    return "\n".join(lines) + "\n"


def _unsupported() -> list[BoardRow]:
    return [row for row in BOARDS if row.unsupported]


def _flash(board: Wired) -> list[str]:
    row = kind_named(board.name)
    image = f" --image {row.image_name}" if row.image_sha256 is None else ""
    lines = [
        "## MicroPython and firmware",
        "",
        f"    groundwatch node flash n07 --at 75,12.5 --sector gate --board {board.name}{image}",
        f"    groundwatch release sign --board {board.name} --version 0.2.0 --out n07.gwr",
        "",
        f"MicroPython {row.release}: `{row.image_name}` of micropython.org.",
    ]
    if row.image_sha256 is None:
        lines.append(
            "Its makers publish no hash and no two other holders of this file are known, so it is "
            "not fetched: the command asks for the file, shows its SHA-256, and has the chip "
            "compare what was written."
        )
    else:
        lines.append(f"Fetched when needed, and checked: SHA-256 `{row.image_sha256}`.")
    return [*lines, *(["", board.row.image_note] if board.row.image_note else []), ""]


def _page(board: Wired, wiring: str | None) -> str:
    lines = [
        f"# {board.row.title}",
        _MADE,
        f"![Wiring of the {board.row.title}]({board.name}.svg)",
        "",
        "## Pins",
        "",
        "| part | terminal | pin | role in the firmware |",
        "|---|---|---|---|",
    ]
    for group in board.family.group:
        for one in board.wires(group):
            role = f"`{one.role}`" if one.role else ""
            lines.append(f"| {group.title} | {one.end} | {one.pin} | {role} |")
    lines += ["", board.row.note, ""]
    lines += _amplifier(board) if wiring is None else _converter(wiring)
    if board.family.has_wake:
        lines += _wake(board)
    lines += _flash(board)
    lines += _known(board, figures(table()) if wiring is None else None)
    lines += _parts(board, wiring)
    return "\n".join(lines) + "\n"


def _amplifier(board: Wired) -> list[str]:
    parts = table()
    of = figures(parts)
    text = _template("amplifier").format(
        name=board.name,
        geophone=parts.geophone.part,
        open=parts.geophone.sensitivity,
        loaded=of.sensitivity,
        damping=of.damping,
        gain=of.gain,
        volt=of.sensitivity * of.gain / 1000,
        corner=of.low_pass_hz,
        sense=of.sense_counts,
        offset=of.offset_counts_max,
        noise=of.noise_nm_s,
        clips=of.clips_um_s,
        ground=board.family.analog_ground,
    )
    return [*text.splitlines(), ""]


def _wake(board: Wired) -> list[str]:
    of = _wake_figures()
    text = _template("wake").format(
        name=board.name,
        low=of.from_hz,
        high=of.to_hz,
        threshold=of.threshold_um_s,
        pin=board.pin("wake"),
    )
    return [*text.splitlines(), ""]


def _wake_figures() -> wake.Wake:
    # The coil's load is the same on all boards.
    return wake.figures(wake.table(), figures(table()))


def _template(name: str) -> str:
    return Path(__file__).with_name(f"{name}.md.in").read_text(encoding="utf-8")


def _converter(wiring: str) -> list[str]:
    return ["## Front end", "", f"Geophone on AIN0 and AIN1 of the ADS1220: {wiring}.", ""]


def _known(board: Wired, of: Figures | None) -> list[str]:
    scale = f"one count is {board.source.nm_s_per_count:.2f} nm/s at {board.source.fs_hz} samples/s"
    source = "the firmware's constant" if of is None else "the components; the firmware's constant"
    rows = [
        ("scale", Stated(scale, "computed", source)),
        ("heap", replace(board.row.heap, value=board.row.heap.value.format(needs=NODE_HEAP >> 10))),
        ("boot", board.row.boot),
    ]
    if board.row.collection is not None:
        rows.append(("collection of garbage", board.row.collection))
    return [
        "## What is known",
        "",
        "| | | kind | from |",
        "|---|---|---|---|",
        *(f"| {name} | {one.value} | {one.kind} | {one.source} |" for name, one in rows),
        "",
    ]


def _parts(board: Wired, wiring: str | None) -> list[str]:
    lines = [
        "## Parts",
        "",
        "| ref | part | part number or kind | what it does |",
        "|---|---|---|---|",
        f"| - | board | {board.row.part} | |",
        f"| - | geophone | {table().geophone.part} | vertical ground velocity |",
    ]
    for group in board.family.group:
        if group.part.startswith("see "):
            continue
        lines.append(f"| - | {group.title} | {group.part} | {'; '.join(group.lines)} |")
    lines.append(
        "| - | two resistors | 100 kohm, metal film 1 % | divider of the battery's voltage |"
    )
    if wiring is None:
        lines.append(f"| U1 | op amp | {table().opamp.part} | {table().opamp.title} |")
        lines += _components(table().component)
    else:
        lines.append(f"| - | around the geophone | {wiring} | damping and common mode |")
    if board.family.has_wake:
        for ref, chip in wake.table().part.items():
            lines.append(f"| {ref} | wake-up, optional | {chip.part} | {chip.does} |")
        lines += _components(wake.table().component)
    return lines


def _components(component: dict[str, Component]) -> list[str]:
    return [
        f"| {ref} | {written(ref, one.value)} | {one.part} | {one.does} |"
        for ref, one in component.items()
    ]
