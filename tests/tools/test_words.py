# SPDX-License-Identifier: MIT
"""The word check: prose, identifiers and file names, and the list itself."""

from __future__ import annotations

import subprocess

import msgspec
import pytest

from tools.words import ROOT, WORDS, Vocabulary, WordList, main

LISTED = """
[[word]]
name = "tell"
forms = ["tell", "tells", "told"]
use = "notify, report or log"

[[word]]
name = "sign on"
forms = ["sign on", "sign ons"]
use = "sign in"

[[word]]
name = "_MOST"
forms = ["_MOST"]
use = "MAX_X"

[[allow]]
text = "told_us"
reason = "a field of stored alarms"
"""


@pytest.fixture
def tree(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / WORDS).write_text(LISTED)
    (tmp_path / "gateway" / "alarms").mkdir(parents=True)
    return tmp_path


def _alarms(tree, text):
    (tree / "gateway" / "alarms" / "step.py").write_text(text)


def _found(text):
    listed = msgspec.toml.decode(LISTED, type=WordList)
    return [(use.line, use.found) for use in Vocabulary(listed).uses("a.py", text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The node told us.", ["told"]),
        ("Told once", ["told"]),
        ("is_told = notTold", ["told", "told"]),
        ("tells, told_by", ["tells", "told"]),
        ("stold tolden fortells", []),
        ("alarm.told_us and told_us_again", ["told"]),
        ("sign on; sign_on; signOn; SIGN ONS", ["sign on", "sign on", "sign on", "sign ons"]),
        ("design on, sign one", []),
        ("PAGES_MOST, at_most, _MOSTLY", ["_MOST"]),
    ],
)
def test_words_in_prose_and_identifiers_are_found_and_parts_of_words_are_not(text, found):
    assert [word for _line, word in _found(text)] == found


def test_phrase_over_two_comment_lines_is_found_at_its_first():
    assert _found("ok\n# who may sign\n# on here\n") == [(2, "sign on")]


def test_use_is_one_line_with_path_and_what_to_use(tree, capsys):
    _alarms(tree, "a = 1\ntold = 2\n")
    assert main([], tree) == main(["gateway/"], tree) == 1
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["gateway/alarms/step.py:2: 'told': use notify, report or log"] * 2
    assert main(["gate", "tools"], tree) == 0


def test_name_of_a_file_is_checked_too(tree, capsys):
    (tree / "gateway" / "told.py").write_text("")
    assert main([], tree) == 1
    assert capsys.readouterr().err.startswith("gateway/told.py:0: 'told'")


@pytest.mark.parametrize(
    "text",
    [
        "[[word",
        '[[word]]\nname = "tell"\nforms = []\nuse = "report"\n',
        LISTED + "other = 1\n",
    ],
)
def test_invalid_list_is_one_line_and_exit_2(tree, capsys, text):
    (tree / WORDS).write_text(text)
    assert main([], tree) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and str(tree / WORDS) in lines[0]


def test_repository_keeps_to_its_own_list(capsys):
    assert main([], ROOT) == 0, capsys.readouterr().err
