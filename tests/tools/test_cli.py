# SPDX-License-Identifier: MIT
"""The command: one line for a user's mistake, a traceback for a bug, verbs imported late."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import click
import pytest

from tools import cli
from tools.commands import table
from tools.commands.verb import Verb
from tools.errors import UserError

NAMES = [one.name for one in (*table.GROUPS, *table.VERBS)]


@pytest.fixture
def verb(monkeypatch):
    """A verb `probe` whose run() is set by the test."""
    module = ModuleType("probe_verb")
    module.run = lambda count: 0

    @click.command()
    @click.option("--count", type=int, default=1)
    def probe(count):
        return module.run(count)

    module.probe = probe
    monkeypatch.setitem(sys.modules, "probe_verb", module)
    row = Verb("probe", "probe_verb:probe", "probe things", "groundwatch probe --count 7")
    monkeypatch.setattr(table, "VERBS", (*table.VERBS, row))
    return module


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "command"),
        (["dance"], "there is no verb 'dance'"),
        (["probes"], "did you mean 'probe'"),
        (["probe", "--count", "many"], "many"),
        (["probe", "--speed", "9"], "--speed"),
        (["probe", "more"], "more"),
        (["alarm"], "command"),
        (["alarm", "lst"], "did you mean 'list'"),
        (["gateway", "dance"], "there is no verb 'dance'"),
    ],
)
def test_invalid_arguments_give_one_line_and_exit_2(verb, words, part, capsys):
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("groundwatch: ")
    assert err.count("\n") == 1
    assert part in err
    assert "--help" in err


def test_user_error_of_a_verb_gives_one_line_and_exit_2(verb, capsys):
    def run(count):
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
    def run(count):
        raise getattr(__import__(module, fromlist=[name]), name)("port is taken")

    verb.run = run
    assert cli.main(["probe"]) == 2
    assert capsys.readouterr().err == "groundwatch: port is taken\n"


def test_bug_in_a_verb_is_not_hidden(verb):
    verb.run = lambda count: 1 / 0
    with pytest.raises(ZeroDivisionError):
        cli.main(["probe"])


def test_interrupt_of_a_verb_is_quiet_and_130(verb, capsys):
    def run(count):
        raise KeyboardInterrupt

    verb.run = run
    assert cli.main(["probe"]) == 130
    assert capsys.readouterr() == ("", "")


def test_status_of_a_verb_is_the_exit_status(verb):
    verb.run = lambda count: count
    assert cli.main(["probe", "--count", "7"]) == 7


def test_reader_that_leaves_early_is_no_error():
    script = (
        "import sys, click; from types import ModuleType; from tools import cli\n"
        "from tools.commands import table; from tools.commands.verb import Verb\n"
        "m = ModuleType('m'); sys.modules['m'] = m\n"
        "m.lines = click.command()(lambda: [print('line') for _ in range(100000)] and 0)\n"
        "table.VERBS = (Verb('m', 'm:lines', 'print', 'm'),)\n"
        "sys.exit(cli.main(['m']))"
    )
    # The shell reports the writer's status; `read` leaves after one line.
    pipeline = f'"{sys.executable}" -c "{script}" | (read -r line); exit ${{PIPESTATUS[0]}}'
    ran = subprocess.run(
        ["bash", "-c", pipeline], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_version_is_shown(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("groundwatch ")


@pytest.mark.parametrize("help_option", ["-h", "--help"])
def test_help_lists_verbs_and_groups_that_are_not_hidden(help_option, capsys):
    assert cli.main([help_option]) == 0
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    top = {one.name for one in table.VERBS if not one.hidden and " " not in one.name}
    assert top | {one.name for one in table.GROUPS} <= shown
    assert "wire" not in shown and not table.FORMER.keys() & shown


@pytest.mark.parametrize("name", NAMES)
def test_help_of_each_name_has_an_example_of_it(name, capsys):
    assert cli.main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert "xample:" in shown.lower()
    assert f"groundwatch {name.removesuffix(' take')}" in shown


@pytest.mark.parametrize("verb", table.VERBS, ids=lambda verb: verb.name)
def test_example_of_each_verb_starts_with_its_name(verb):
    assert f"groundwatch {verb.name.removesuffix(' take')}" in verb.example


@pytest.mark.parametrize(
    ("former", "today"),
    [
        *table.FORMER.items(),
        ("gateway --example", "gateway run --example"),
        ("sim --list", "sim list"),
        ("sim nowhere --out x", "sim export nowhere --out x"),
        ("record --protocol", "record take --protocol"),
        ("record n07", "record take n07"),
        ("outputs test --config none.toml", "connector test --config none.toml"),
    ],
)
def test_former_name_does_the_same(former, today, capsys):
    if " " not in former:
        former, today = f"{former} --help", f"{today} --help"
    assert cli.main(former.split()) == cli.main(today.split())
    out, err = capsys.readouterr()
    both = (out + err).strip()
    assert both and both[: len(both) // 2].strip() == both[len(both) // 2 :].strip()
