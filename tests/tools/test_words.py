# SPDX-License-Identifier: MIT
"""The word check: prose and identifiers, counts that only go down, and the list itself."""

from __future__ import annotations

import subprocess
import tomllib

import msgspec
import pytest

from tools.words import LEFT, ROOT, WORDS, Vocabulary, WordList, main

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
    assert main(["--list", "gateway"], tree) == 0
    out = capsys.readouterr().out
    assert out == "gateway/alarms/step.py:2: 'told': use notify, report or log\n"


def test_counts_may_stay_fall_by_write_and_never_rise(tree, capsys):
    _alarms(tree, "told = told\n")
    assert main(["--write"], tree) == 0
    assert tomllib.loads((tree / LEFT).read_text()) == {"gateway/alarms": {"tell": 2}}
    assert main([], tree) == 0

    _alarms(tree, "told = told + told\n")
    assert main([], tree) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "gateway/alarms/step.py:1: 'told': use notify, report or log"
    assert lines[-1] == "gateway/alarms: 'tell' is used 3 times, 2 are allowed"
    assert main(["--write"], tree) == 1  # it does not raise the allowed counts
    assert tomllib.loads((tree / LEFT).read_text()) == {"gateway/alarms": {"tell": 2}}

    _alarms(tree, "told = 1\n")
    assert main([], tree) == 1
    assert "--write" in capsys.readouterr().err.splitlines()[-1]
    assert main(["--write"], tree) == 0
    assert main([], tree) == 0
    _alarms(tree, "")
    assert main(["--write"], tree) == 0
    assert tomllib.loads((tree / LEFT).read_text()) == {}


def test_use_moved_to_another_folder_is_a_rise_there(tree):
    _alarms(tree, "told = 1\n")
    assert main(["--write"], tree) == 0
    _alarms(tree, "")
    (tree / "gateway" / "api").mkdir()
    (tree / "gateway" / "api" / "told.py").write_text("told = 1\n")
    assert main(["--write"], tree) == 1
    assert tomllib.loads((tree / LEFT).read_text()) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (WORDS, "[[word"),
        (WORDS, '[[word]]\nname = "tell"\nforms = []\nuse = "report"\n'),
        (WORDS, LISTED + "other = 1\n"),
        (LEFT, '["gateway/alarms"]\ntell = -1\n'),
        (LEFT, "tell = 1\n"),
    ],
)
def test_invalid_list_is_one_line_and_exit_2(tree, capsys, name, text):
    _alarms(tree, "")
    (tree / LEFT).write_text("")
    (tree / name).write_text(text)
    assert main([], tree) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and str(tree / name) in lines[0]


def test_repository_keeps_to_its_own_list(capsys):
    assert main([], ROOT) == 0, capsys.readouterr().err
