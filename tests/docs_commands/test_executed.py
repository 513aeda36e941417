# SPDX-License-Identifier: MIT
"""Commands of the pages, executed as printed and in order, each page in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs_commands.blocks import blocks_of
from tests.docs_commands.listed import Page, executed, listed
from tests.docs_commands.stages import STAGES
from tests.terminal import ROOT

PAGES = [
    pytest.param(row, id=row.page, marks=[pytest.mark.long] if row.is_long else [])
    for row in listed().page
]


def run(row: Page, text: str, folder: Path) -> dict[str, str]:
    """What each command of the page showed. Raises AssertionError when one fails."""
    typed = executed(row.page, blocks_of(row.page, text))
    with STAGES[row.stage](folder) as stage:
        return {command: stage.run(command) for command in typed}


@pytest.mark.parametrize("row", PAGES)
def test_commands_of_a_page_work_as_printed(row: Page, tmp_path: Path) -> None:
    shown = run(row, (ROOT / row.page).read_text(), tmp_path)
    assert shown
    assert "Traceback" not in "".join(shown.values())


@pytest.mark.parametrize(
    ("right", "broken"),
    [
        ("--board esp32_s3 --mode", "--board esp32_s9 --mode"),  # the value is wrong
        ("lifepo4:6Ah", "lifepo4:6Ah --json | grep no_such_figure"),  # the outcome is
    ],
)
def test_page_with_a_broken_command_fails(right: str, broken: str, tmp_path: Path) -> None:
    (row,) = [one for one in listed().page if one.page == "docs/power.md"]
    text = (ROOT / row.page).read_text()
    assert right in text
    with pytest.raises(AssertionError, match="exit status"):
        run(row, text.replace(right, broken, 1), tmp_path)
