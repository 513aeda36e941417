# SPDX-License-Identifier: MIT
"""`groundwatch gateway check`: each file of a configuration, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gateway.played_node import write_config
from tools.cli import main


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = write_config(tmp_path, "port = 0")
    key = tmp_path / "fleet.key"
    key.write_text("5a" * 32)
    key.chmod(0o600)
    return path


def checked(config: Path, status: int, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """File -> its problem."""
    assert main(["gateway", "check", "--config", str(config), "--json"]) == status
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(line["ok"] is not bool(line["problem"]) for line in lines)
    return {Path(line["file"]).name: line["problem"] for line in lines}


def test_files_that_are_right_are_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"gateway.toml", "site.toml", "fleet.key", "operators.toml", "tokens.toml"}
    assert checked(config, 0, capsys) == dict.fromkeys(names, "")
    assert main(["gateway", "check", "--config", str(config)]) == 0
    assert capsys.readouterr().out.count("ok  ") == len(names)
    assert not (config.parent / "data").exists()


@pytest.mark.parametrize(
    ("added", "file", "expected"),
    [
        ("[nonsense]\n", "gateway.toml", "nonsense"),
        (
            (
                '[[arming]]\nsectors = ["nowhere"]\ntime_zone = "UTC"\n'
                'armed = ["mon-fri 18:00-06:00"]\n'
            ),
            "site.toml",
            "'nowhere' is not a sector",
        ),
        (
            (
                '[[connector]]\nkind = "webhook"\nname = "hook"\nurl = "https://example.org/"\n'
                'ca_file = "ca.pem"\nsecret_file = "hook.key"\n'
            ),
            "gateway.toml",
            "ca.pem",
        ),
    ],
)
def test_table_that_is_wrong_is_named_with_its_file(
    added: str, file: str, expected: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config.parent / "ca.pem").write_text("no certificate")
    (config.parent / "hook.key").write_text("shared with the receiver")
    (config.parent / "hook.key").chmod(0o600)
    config.write_text(config.read_text() + added)
    found = checked(config, 1, capsys)
    assert expected in found[file]
    assert main(["gateway", "check", "--config", str(config)]) == 1
    assert capsys.readouterr().out.count("PROBLEM") == 1


@pytest.mark.parametrize("name", ["site.toml", "fleet.key", "operators.toml", "tokens.toml"])
def test_named_file_that_is_damaged_is_the_only_problem(
    name: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = config.parent / name
    damaged.write_text("= damaged =")
    damaged.chmod(0o600)
    found = checked(config, 1, capsys)
    assert [file for file, problem in found.items() if problem] == [name]
