# SPDX-License-Identifier: MIT
"""The front desk: one line for a user's mistake, a traceback for ours, verbs imported late."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from tools import cli
from tools.errors import UserError


@pytest.fixture
def verb(monkeypatch):
    """A verb `probe` whose run() is set by the test."""
    module = ModuleType("probe_verb")
    module.add_arguments = lambda parser: parser.add_argument("--count", type=int, default=1)
    module.run = lambda args: 0
    monkeypatch.setitem(sys.modules, "probe_verb", module)
    monkeypatch.setattr(
        cli, "VERBS", (*cli.VERBS, cli.Verb("probe", "probe_verb", "probe things", "probe"))
    )
    return module


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "VERB"),
        (["dance"], "dance"),
        (["probe", "--count", "many"], "many"),
        (["probe", "--speed", "9"], "--speed"),
    ],
)
def test_arguments_that_make_no_sense_give_one_line_and_exit_2(verb, words, part, capsys):
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("groundwatch: ")
    assert err.count("\n") == 1
    assert part in err
    assert "--help" in err


def test_user_error_of_a_verb_gives_one_line_and_exit_2(verb, capsys):
    def run(args):
        raise UserError("no take in night\n  record one first")

    verb.run = run
    assert cli.main(["probe"]) == 2
    assert capsys.readouterr().err == "groundwatch: no take in night record one first\n"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("gateway.errors", "ConfigError"),
        ("gateway.errors", "BrokerError"),
        ("gateway.errors", "StoreError"),
        ("sim_hardware.errors", "SimError"),
    ],
)
def test_user_error_of_another_package_gives_exit_2(verb, module, name, capsys):
    def run(args):
        raise getattr(__import__(module, fromlist=[name]), name)("port is taken")

    verb.run = run
    assert cli.main(["probe"]) == 2
    assert capsys.readouterr().err == "groundwatch: port is taken\n"


def test_bug_in_a_verb_is_not_hidden(verb):
    verb.run = lambda args: 1 / 0
    with pytest.raises(ZeroDivisionError):
        cli.main(["probe"])


def test_interrupt_of_a_verb_is_quiet_and_130(verb, capsys):
    def run(args):
        raise KeyboardInterrupt

    verb.run = run
    assert cli.main(["probe"]) == 130
    assert capsys.readouterr() == ("", "")


def test_status_of_a_verb_is_the_exit_status(verb):
    verb.run = lambda args: args.count
    assert cli.main(["probe", "--count", "7"]) == 7


def test_reader_that_leaves_early_is_no_error():
    script = (
        "import sys; from types import ModuleType; from tools import cli\n"
        "m = ModuleType('m'); m.add_arguments = lambda p: None\n"
        "m.run = lambda a: [print('line') for _ in range(100000)] and 0\n"
        "sys.modules['m'] = m; cli.VERBS = (cli.Verb('m', 'm', 'print', 'm'),)\n"
        "sys.exit(cli.main(['m']))"
    )
    # The shell reports the writer's status; `read` leaves after one line.
    pipeline = f'"{sys.executable}" -c "{script}" | (read -r line); exit ${{PIPESTATUS[0]}}'
    ran = subprocess.run(
        ["bash", "-c", pipeline], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_help_lists_every_verb_with_an_example_and_imports_none(capsys):
    before = set(sys.modules)
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    for verb in cli.VERBS:
        assert verb.example in told
    assert not {verb.module for verb in cli.VERBS} & (set(sys.modules) - before)


@pytest.mark.parametrize("name", [verb.name for verb in cli.VERBS])
def test_help_of_each_verb_shows_its_example(name, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    assert left.value.code == 0
    assert f"groundwatch {name}" in capsys.readouterr().out
