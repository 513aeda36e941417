# SPDX-License-Identifier: MIT
"""The boards' pages: current, true to the firmware's pins, complete, and legible."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.wiring import __main__ as command
from tools.wiring import pages, wake
from tools.wiring.amplifier import table, written
from tools.wiring.rows import supported
from tools.wiring.source import board_names, read_board

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "boards"
SVG = "{http://www.w3.org/2000/svg}"
DRAWINGS = sorted(name for name in pages.files() if name.endswith(".svg"))


def _texts(name):
    return [
        (one.text, one) for one in ElementTree.fromstring(pages.files()[name]).iter(f"{SVG}text")
    ]


def test_pages_in_the_docs_are_current():
    assert pages.stale(FOLDER) == [], "python -m tools.wiring"


def test_pages_of_removed_boards_are_absent():
    kept = {path.name for path in FOLDER.iterdir()}
    assert kept == set(pages.files()) | {"bench.md"}


def test_every_board_with_firmware_is_supported_or_named_as_not():
    index = pages.files()["README.md"]
    assert {board.name for board in supported()} == {"pico_w", "pico2_w", "esp32", "esp32_s3"}
    assert all(name in index for name in board_names())


@pytest.mark.parametrize("board", supported(), ids=lambda board: board.name)
def test_pins_of_diagram_and_page_are_the_firmwares(board):
    # Read independently of the adapter.
    source = (ROOT / "firmware" / "boards" / board.name / "board.py").read_text()
    pins = ast.literal_eval(re.search(r"^PINS = (\{.*?\})", source, re.S | re.M)[1])
    files = pages.files()
    drawn = [text for text, _ in _texts(f"{board.name}.svg")]
    for role, gpio in pins.items():
        wanted = re.compile(rf"{board.family.gpio}{gpio}( \(pin \d+\))?")
        assert any(wanted.fullmatch(text) for text in drawn), role
        rows = [row for row in files[f"{board.name}.md"].splitlines() if f"`{role}`" in row]
        assert any(wanted.search(row) for row in rows), role


@pytest.mark.parametrize("board", supported(), ids=lambda board: board.name)
def test_page_states_scale_heap_and_boot_with_their_sources(board):
    page = pages.files()[f"{board.name}.md"]
    for name in ("scale", "heap", "boot"):
        row = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
        assert re.search(r"\| (emulated|computed|data sheet) \|", row)


def test_header_pins_of_the_pico_are_those_of_its_data_sheet():
    board = next(board for board in supported() if board.name == "pico_w")
    # Pico W data sheet, figure 2.
    for gpio, pin in {0: 1, 2: 4, 14: 19, 15: 20, 16: 21, 22: 29, 26: 31, 27: 32, 28: 34}.items():
        assert board.header_pin(gpio) == pin
    assert board.header_pin(23) is None


def test_components_of_the_circuit_are_on_drawing_and_parts_list():
    drawn = [text for text, _ in _texts("pico_w-amplifier.svg")]
    page = pages.files()["pico_w.md"]
    for ref, one in table().component.items():
        value = written(ref, one.value)
        assert drawn[drawn.index(ref) + 1] == value
        assert f"| {ref} | {value} | {one.part} |" in page
    assert table().opamp.part in page


@pytest.mark.parametrize("board", ["esp32", "esp32_s3"])
def test_components_of_the_wake_up_circuit_are_on_drawing_and_parts_list(board):
    drawn = [text for text, _ in _texts(f"{board}-wake.svg")]
    page = pages.files()[f"{board}.md"]
    for ref, one in wake.table().component.items():
        assert drawn[drawn.index(ref) + 1] == written(ref, one.value)
        assert f"| {ref} | {written(ref, one.value)} | {one.part} |" in page
    assert all(chip.part in page for chip in wake.table().part.values())


@pytest.mark.parametrize("name", DRAWINGS)
def test_texts_of_a_drawing_are_inside_it_and_do_not_overlap(name):
    drawing = ElementTree.fromstring(pages.files()[name])
    _, _, width, height = (float(word) for word in drawing.get("viewBox").split())
    boxes = [_box(one) for _, one in _texts(name)]
    for left, top, right, bottom, words in boxes:
        assert left >= 0 and top >= 0 and right <= width and bottom <= height, words
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one[4], other[4])


@pytest.mark.parametrize("name", DRAWINGS)
def test_wires_of_a_drawing_cross_no_text(name):
    boxes = [_box(one) for _, one in _texts(name)]
    drawing = ElementTree.fromstring(pages.files()[name])
    for path in drawing.iter(f"{SVG}path"):
        if path.get("class") != "l":
            continue
        numbers = [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", path.get("d"))]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            for left, top, right, bottom, words in boxes:
                hits = (
                    max(x1, x2) > left
                    and min(x1, x2) < right
                    and max(y1, y2) > top
                    and min(y1, y2) < bottom
                )
                assert not hits, words


def test_check_names_the_pages_that_are_not_current(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "_FOLDER", tmp_path)
    assert command.main([]) == 0
    assert command.main(["--check"]) == 0
    (tmp_path / "pico_w.md").write_text("old")
    (tmp_path / "esp32.svg").unlink()
    assert command.main(["--check"]) == 1
    err = capsys.readouterr().err
    assert "pico_w.md" in err
    assert "esp32.svg" in err


def test_board_source_is_read_without_running_it(tmp_path):
    folder = tmp_path / "boards" / "bare"
    folder.mkdir(parents=True)
    (folder / "board.py").write_text(
        "import machine\nFS_HZ = const(250)\nPINS = {'pir': 3}\n_NM_S_PER_COUNT_X256 = const(512)\n"
    )
    assert board_names(tmp_path) == ("bare",)
    source = read_board("bare", tmp_path)
    assert (source.pins, source.nm_s_per_count, source.fs_hz) == ({"pir": 3}, 2.0, 250)
    (folder / "board.py").write_text("FS_HZ = 250\n")
    with pytest.raises(KeyError):
        read_board("bare", tmp_path)


def _box(one):
    """Left, top, right, bottom and words of a text, by the widths of common fonts."""
    classes = one.get("class").split()
    size = {"h": 14, "t": 13, "s": 12, "r": 12}[classes[0]]
    each = 0.61 if classes[0] == "s" else 0.56
    wide = len(one.text) * size * each
    x, y = float(one.get("x")), float(one.get("y"))
    left = x - wide if "e" in classes else x - wide / 2 if "m" in classes else x
    return left, y - 0.72 * size, left + wide, y + 0.1 * size, one.text
