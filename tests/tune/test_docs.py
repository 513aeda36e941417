# SPDX-License-Identifier: MIT
"""Each `groundwatch model tune` command that the documents print works as printed."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from tests.tune.test_apply import prepared, running
from tests.tune.weeks import NOISY
from tools.cli import main
from tools.commands.table import VERBS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tuning.md", "docs/operations.md", "docs/operators-guide.md")
_PRINTED = re.compile(r"^groundwatch ((?:model )?tune\b[^#\n]*)", re.MULTILINE)
_OF_THE_PAGE = re.compile(r"^groundwatch ([^#\n]*)", re.MULTILINE)


def printed() -> list[str]:
    """All of them, once each."""
    found = [match for page in PAGES for match in _PRINTED.findall((ROOT / page).read_text())]
    found += _OF_THE_PAGE.findall((ROOT / "docs/tuning.md").read_text())
    found += [
        verb.example.removeprefix("groundwatch ") for verb in VERBS if verb.name == "model tune"
    ]
    return list(dict.fromkeys(one.strip() for one in found))


def words_of(command: str) -> list[str]:
    return shlex.split(command.replace("n07", NOISY))


READING = [one for one in printed() if "--apply" not in one]
APPLYING = [one for one in printed() if "--apply" in one]


async def test_tune_commands_that_read_work_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(READING) >= 6
    prepared(tmp_path)
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path):
        for command in READING:
            code = await asyncio.to_thread(main, words_of(command))
            shown = capsys.readouterr()
            assert (code, shown.err) == (0, ""), (command, shown)
            assert shown.out


@pytest.mark.parametrize("command", APPLYING)
async def test_tune_command_that_applies_works_as_printed(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepared(tmp_path)
    monkeypatch.chdir(tmp_path)
    async with running(tmp_path) as (_gateway, node):
        code = await asyncio.to_thread(main, words_of(command))
        shown = capsys.readouterr()
        assert code == 0, (command, shown)
        assert node.configured == [5]


def test_bounds_that_the_page_states_are_those_of_the_code() -> None:
    from gateway.tuning import bounds

    page = (ROOT / "docs/tuning.md").read_text()
    for words in (
        f"threshold {bounds.LOW_X10} to {bounds.HIGH_X10}, in tenths",
        f"| step | {bounds.STEP_X10}:",
        f"{bounds.MIN_QUIET_H:.0f} hours that count",
        f"one step in {bounds.MIN_DAYS_BETWEEN} days",
        f"certainly above {bounds.RAISE_ABOVE_PER_DAY:g} a day",
        f"certainly below {bounds.LOWER_BELOW_PER_DAY:g} a day",
        f"in force for {bounds.DEFAULT_DAYS} days (`--days 1` to `{bounds.MAX_DAYS}`)",
        f"({bounds.DEFAULT_WEEKS}, or `--weeks 1` to `{bounds.MAX_WEEKS}`)",
    ):
        assert words in page, words
    assert bounds.STEP_X10 * bounds.POINTS_PER_TENTH == 4
    assert bounds.MIN_ASSESSED == 3 and "at least three alarms" in page
