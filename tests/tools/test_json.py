# SPDX-License-Identifier: MIT
"""`--json`: every verb that a program may call offers it, and prints JSON and nothing else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools import cli
from tools.commands import table
from tools.commands.front import groundwatch

# These print JSON without the option, or are not for programs: a check of the build, a script.
WITHOUT = {"sim control", "release show", "wire", "completion"}


@pytest.mark.parametrize("verb", table.VERBS, ids=lambda verb: verb.name)
def test_verb_offers_json(verb) -> None:
    command = groundwatch()
    context = command.make_context("groundwatch", ["--help"], resilient_parsing=True)
    for word in verb.name.split():
        command = command.get_command(context, word)
    options = {name for parameter in command.params for name in parameter.opts}
    assert ("--json" in options) is (verb.name not in WITHOUT)


def operator(capsys, monkeypatch, folder: Path, *words: str) -> dict:
    monkeypatch.setattr("sys.stdin", io.StringIO("four words are long\n"))
    assert cli.main(["operator", *words, "--config", str(folder / "gateway.toml"), "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def test_operator_verbs_print_one_object_each(tmp_path, capsys, monkeypatch) -> None:
    (tmp_path / "gateway.toml").write_text("[gateway]\n")
    eva = {"name": "Eva M.", "role": "operator"}
    assert operator(capsys, monkeypatch, tmp_path, "add", "Eva M.") == eva
    assert operator(capsys, monkeypatch, tmp_path, "passwd", "Eva M.") == eva
    words = ("set-role", "Eva M.", "--role", "supervisor")
    assert operator(capsys, monkeypatch, tmp_path, *words) == {**eva, "role": "supervisor"}
    assert operator(capsys, monkeypatch, tmp_path, "list") == {**eva, "role": "supervisor"}
    removed = operator(capsys, monkeypatch, tmp_path, "remove", "Eva M.")
    assert removed == {"name": "Eva M.", "removed": True}


def test_fleet_key_verbs_print_one_object_each(tmp_path, capsys) -> None:
    (tmp_path / "gateway.toml").write_text("[gateway]\n")
    words = ["node", "provision", "--config", str(tmp_path / "gateway.toml"), "--json"]
    assert cli.main([*words, "--new-root"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made == {"fleet_key": str(tmp_path / "fleet.key"), "root": "plain"}


@pytest.mark.picow
def test_sim_board_prints_one_line_when_it_is_ready(tmp_path: Path) -> None:
    words = ("-m", "tools.cli", "sim", "board", "pico_w", "--network", "1883=127.0.0.1:9", "--json")
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as board:
        limit = threading.Timer(300, board.kill)
        limit.start()
        try:
            assert board.stdout is not None
            ready = json.loads(board.stdout.readline())
        finally:
            limit.cancel()
            board.terminate()
    assert (ready["type"], ready["serial"], ready["control"]) == ("ready", "ttyACM0", "control")
    assert ready["network"]["routes"] == {"1883": "127.0.0.1:9"}
