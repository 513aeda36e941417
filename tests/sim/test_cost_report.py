# SPDX-License-Identifier: MIT
"""The published table of costs, and the figures and sources behind it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from sim_hardware.sandbox import SHIMS
from tools import cost_report
from tools.boards import BOARDS
from tools.image import boards

DOCS = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
KINDS = ("emulated", "published", "datasheet", "source", "computed", "assumed", "design figure")


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    """The shims' table of costs, which holds nothing but literals."""
    spec = importlib.util.spec_from_file_location("simcosts", SHIMS / "simcosts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_figure_names_its_kind_of_source(costs: ModuleType) -> None:
    for table in (costs.COSTS, costs.PORTS):
        assert set(table) == set(boards())
        for board in table.values():
            assert set(board) == set(table["pico_w"])
            for name, figure in board.items():
                assert figure[-1].startswith(KINDS), name


def test_docs_print_the_figures_that_are_charged(costs: ModuleType) -> None:
    text = DOCS.read_text()
    for name, (typical, worst, _) in costs.COSTS["pico_w"].items():
        row = re.search(rf"^\| `{name}` \|(.*)$", text, re.MULTILINE)
        assert row, name
        s3, wrover = costs.COSTS["esp32_s3"][name], costs.COSTS["esp32"][name]
        cells = [int(cell.replace(",", "")) for cell in row[1].split("|")[:6]]
        assert cells == [typical, worst, *s3[:2], *wrover[:2]]


@pytest.mark.long
def test_report_shows_a_ledger_that_costs_erases_and_no_sample(
    micropython_i386: Path, tmp_path: Path
) -> None:
    given = cost_report.take()
    plain, row = (
        cost_report.measure(case, given, "pico_w", "typical", micropython_i386, tmp_path / case)
        for case in ("walk", "walk, ledger written")
    )
    # Conditions coalesce, and yet the ledger of an outage has several blocks to erase. Each erase
    # takes 43 ms, in which the converter goes on by itself.
    more_erases = row.erases - plain.erases
    assert more_erases >= 5
    assert row.missed == plain.missed == 0
    assert row.ends_as == "node"


def test_report_of_a_node_that_does_not_start_names_the_reason(
    micropython_i386: Path, tmp_path: Path
) -> None:
    given = cost_report.take()
    board = next(row.name for row in BOARDS if row.unsupported)
    row = cost_report.measure("walk", given, board, "typical", micropython_i386, tmp_path / "a")
    # Less than the firmware needs. If this fails, the board has become supported.
    assert row.ends_as.startswith("MemoryError")
    assert row.starts == 0
