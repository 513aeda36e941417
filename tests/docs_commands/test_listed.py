# SPDX-License-Identifier: MIT
"""Every command block of the pages is executed or listed, and its words are taken by the tools."""

from __future__ import annotations

import re

import pytest

from tests.docs_commands import blocks, parsing
from tests.docs_commands.blocks import OTHER, SHELL, Block
from tests.docs_commands.listed import Listed, NotRun, Page, faults, listed
from tests.docs_commands.stages import STAGES
from tests.terminal import ROOT

TYPED = [
    pytest.param(command, id=f"{block.place}-{number}")
    for block in blocks.all_blocks()
    if block.language in SHELL
    for number, command in enumerate(blocks.commands(block), 1)
]


def test_every_block_of_the_pages_names_its_language() -> None:
    unnamed = [one.place for one in blocks.all_blocks() if one.language not in (*SHELL, *OTHER)]
    assert not unnamed, f"name one of {', '.join((*SHELL, *OTHER))}"


def test_every_command_of_the_pages_is_executed_or_listed_once() -> None:
    assert len(TYPED) > 80
    assert not faults()


def test_rows_of_the_list_name_tests_and_stages_that_exist() -> None:
    for page in listed().page:
        assert page.stage in STAGES, page
    for row in listed().elsewhere:
        path, _, name = row.test.partition("::")
        text = (ROOT / path).read_text()
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), row
        assert row.reads in text, row


@pytest.mark.parametrize("command", TYPED)
def test_words_of_every_command_are_taken_by_its_parser(command: str) -> None:
    assert parsing.problem(command) == ""


@pytest.mark.parametrize("page", blocks.pages())
def test_commands_in_running_text_name_verbs_and_options_that_exist(page: str) -> None:
    found = blocks.inline((ROOT / page).read_text())
    assert not [problem for one in found if (problem := parsing.problem(one, is_whole=False))]


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        ("groundwatch alrm list", "no verb 'alrm'"),
        ("groundwatch alarm list --stat open", "--stat"),
        ("groundwatch alarm ack", "Missing argument"),
        ("groundwatch init north --wify x", "--wify"),
        ("until groundwatch alarm lst | grep bench; do sleep 2; done", "no verb 'lst'"),
        ('export T="$(groundwatch token ad x)"', "no verb 'ad'"),
        ("sudo /opt/groundwatch/bin/groundwatch alarms", "no verb 'alarms'"),
        ("make demoo ARGS='--seconds 60'", "no target demoo"),
        (".venv/bin/pytest tests/nowhere -s", "there is no tests/nowhere"),
        ("python -m sim_hardware.third --list", "no module sim_hardware.third"),
    ],
)
def test_command_that_no_tool_takes_is_found_by_its_words(broken: str, part: str) -> None:
    assert part in parsing.problem(broken)


def test_option_that_is_gone_is_found_in_running_text() -> None:
    assert "--wave" not in parsing.problem("groundwatch node update --wave", is_whole=False)
    assert "--waves" in parsing.problem("groundwatch node update --waves 3", is_whole=False)


def test_command_that_is_in_no_row_and_row_without_a_command_are_reported() -> None:
    page = [Block("docs/a.md", 7, "sh", "groundwatch doctor\nsudo reboot\n")]
    root = NotRun("docs/a.md", ("sudo ",), "needs root and a machine")
    assert faults(page, Listed((Page("docs/a.md", "empty"),), (), (root,))) == []
    (found,) = faults(page, Listed((), (), (root,)))
    assert found == "docs/a.md:7: 'groundwatch doctor' is neither executed nor listed"
    (found,) = faults(page, Listed((Page("docs/a.md", "empty"),), (), (root, root)))
    assert "'sudo reboot' is in 2 rows" in found
    gone = NotRun("docs/a.md", ("pipx ",), "needs an index of packages")
    (found,) = faults(page, Listed((Page("docs/a.md", "empty"),), (), (root, gone)))
    assert found == "docs/a.md: no command starts with 'pipx '"


def test_continued_lines_and_here_documents_are_one_command() -> None:
    text = "cat > a <<'END'\nx = 1\nEND\ncurl -d 1 \\\n     http://a\nls\n"
    assert blocks.commands(Block("a.md", 1, "sh", text)) == [
        "cat > a <<'END'\nx = 1\nEND",
        "curl -d 1 \\\n     http://a",
        "ls",
    ]
