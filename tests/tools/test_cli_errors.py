# SPDX-License-Identifier: MIT
"""Invalid arguments and a faulty machine: one line that names the remedy, exit code 2."""

from __future__ import annotations

import errno
import io
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from gateway.errors import ConfigError
from gateway.keysafe import Rest, write_root
from gateway.terminal import ask
from tests.gateway.played_node import write_config
from tools import cli
from tools.commands import table
from tools.commands.verb import Verb

GROUNDWATCH = (sys.executable, "-m", "tools.cli")
LIMIT_S = 120


def typed(folder: Path, prompt: str, *words: str, answers: tuple[bytes, ...] = ()) -> str:
    """The last line of a command whose prompts are answered, and whose input then ends by ^D."""
    terminal, far = pty.openpty()
    try:
        with subprocess.Popen(
            [*GROUNDWATCH, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=far,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no /dev/tty: the prompt reads the standard input
        ) as process:
            assert process.stderr is not None
            shown = b""
            for answer in (*answers, b"\x04"):
                # A prompt discards earlier input, and ends without a new line.
                while not shown.endswith(b": "):
                    part = os.read(process.stderr.fileno(), 200)
                    assert part, shown
                    shown += part
                time.sleep(0.2)
                os.write(terminal, answer)
                shown += b"\n" if answer != b"\x04" else b""
            shown += process.stderr.read()
            assert process.wait(LIMIT_S) == 2, shown
    finally:
        os.close(terminal)
        os.close(far)
    assert prompt in shown.decode() and "Traceback" not in shown.decode(), shown
    last = shown.decode().splitlines()[-1]
    assert last.startswith("groundwatch: "), shown
    return last


def test_end_of_input_at_the_prompts_of_operator_add_changes_nothing(tmp_path: Path) -> None:
    write_config(tmp_path, "port = 0")
    words = ("operator", "add", "eva")
    assert "the input ended" in typed(tmp_path, "pass phrase of eva", *words)
    answers = (b"correct horse battery\n",)
    assert "the input ended" in typed(tmp_path, "once more", *words, answers=answers)
    assert not (tmp_path / "operators.toml").exists()


def test_end_of_input_at_the_prompts_of_release_key_writes_no_key(tmp_path: Path) -> None:
    assert "the input ended" in typed(tmp_path, "passphrase", "release", "key")
    answers = (b"correct horse battery\n",)
    assert "the input ended" in typed(tmp_path, "again", "release", "key", answers=answers)
    assert not list(tmp_path.iterdir())


def test_end_of_input_at_the_passphrase_of_the_fleet_key_starts_no_gateway(tmp_path: Path) -> None:
    write_config(tmp_path, "port = 0")
    write_root(
        tmp_path / "fleet.key", bytes(32), Rest.PASSPHRASE, lambda _: "correct horse battery"
    )
    assert "the input ended" in typed(tmp_path, "passphrase of", "gateway", "run")


def test_end_of_input_at_a_plain_question_is_an_error_for_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(ConfigError, match="the input ended"):
        ask("board? ")


@pytest.mark.parametrize(
    "words",
    [
        "demo --seed -1",
        "demo --port -1",
        "replay nowhere.npz --seed -1",
        "score --scenario car --seed -1",
        "score --scenario car --workers -2",
        "score --scenario car --seeds -3",
        "score --scenario car --hours -1",
        "recordings . --workers -1",
        "sim export car --seed -1 --out none",
        "sim export car --seconds -1 --out none",
        "record n01 --label walks --count -1",
        "record n01 --label walks --scenario car --seed -1",
        "model score --takes . --seed -1",
        "model train --sites -1 --out none",
        "model train --seed -1 --out none",
        "model calibrate --sites -1",
        "model calibrate --workers -1",
        "model policies --workers -1",
        "model tune --weeks -1",
        "model tune --accept-lost -1",
        "bench ingest --runs -1",
        "bench connections --nodes -1",
        "bench node --minutes -1",
        "alarm list --limit -1",
        "alarm list --hours -1",
        "alarm list --hours inf",
        "alarm show -1",
        "node identify n01 --seconds -1",
        "node snippet n01 --seconds 0 --reason x",
        "token add tak --days -1",
        "walktest score --days -1",
        "power --battery lifepo4:6Ah --panel-w 5 --latitude 52 --dark-days -1",
        "node monitor --seconds -1",
        "node update none.gwr --failures -1",
    ],
)
def test_number_out_of_range_is_one_line_and_exit_2(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_config(tmp_path, "port = 0")
    monkeypatch.chdir(tmp_path)
    assert cli.main(words.split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), (out, err)
    assert err.startswith("groundwatch: ")


@pytest.mark.parametrize("address", ["http://no.such.host.invalid:1", "http://127.0.0.1:1", "?"])
def test_wrong_host_of_the_gateway_is_one_line_that_names_it(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = write_config(tmp_path, "port = 0")
    monkeypatch.setenv("GROUNDWATCH_API", address)
    assert cli.main(["alarm", "list", "--config", str(config)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and address in err and "GROUNDWATCH_API" in err


@pytest.mark.parametrize("words", [["sim", "list"], ["--help"], ["completion", "bash"]])
def test_standard_output_on_a_full_disk_is_one_line_and_exit_2(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*GROUNDWATCH, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "no space is left" in ran.stderr


def test_file_on_a_full_disk_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def write() -> None:
        Path("/dev/full").write_text("x")

    module = type(sys)("full_verb")
    module.write = write  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "full_verb", module)
    row = Verb("full", "full_verb:write", "write", "groundwatch full")
    monkeypatch.setattr(table, "VERBS", (*table.VERBS, row))
    assert cli.main(["full"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "make room" in err
    assert os.strerror(errno.ENOSPC) not in err


def test_plot_on_a_full_disk_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    words = "power --battery lifepo4:6Ah --panel-w 5 --latitude 52 --plot /dev/full"
    assert cli.main(words.split()) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "/dev/full" in err
