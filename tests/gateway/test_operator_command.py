# SPDX-License-Identifier: MIT
"""`groundwatch operator`: nothing that is there is overwritten by `add`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gateway.console.operators import OperatorFile, Role, load_operators
from tools import cli

FIRST, SECOND = "four words are long", "another four words"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "gateway.toml").write_text("[gateway]\n")
    return tmp_path


def operator(monkeypatch, site: Path, *words: str, passphrase: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(passphrase + "\n"))
    return cli.main(["operator", *words, "--config", str(site / "gateway.toml")])


def test_operator_add_of_a_known_name_is_refused_and_changes_nothing(site, monkeypatch, capsys):
    assert operator(monkeypatch, site, "add", "eva", "--role", "supervisor", passphrase=FIRST) == 0
    before = (site / "operators.toml").read_bytes()
    capsys.readouterr()
    assert operator(monkeypatch, site, "add", "eva", passphrase=SECOND) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "operator passwd" in err and "operator set-role" in err
    assert (site / "operators.toml").read_bytes() == before


def test_operator_passwd_changes_the_passphrase_alone(site, monkeypatch) -> None:
    operator(monkeypatch, site, "add", "eva", "--role", "supervisor", passphrase=FIRST)
    operator(monkeypatch, site, "add", "tom", passphrase=FIRST)
    assert operator(monkeypatch, site, "passwd", "eva", passphrase=SECOND) == 0
    known = OperatorFile(site / "operators.toml")
    assert known.verify("eva", FIRST) is None
    eva = known.verify("eva", SECOND)
    assert eva is not None and eva.role is Role.SUPERVISOR
    assert known.verify("tom", FIRST) is not None


def test_operator_set_role_changes_the_role_alone(site, monkeypatch) -> None:
    operator(monkeypatch, site, "add", "eva", passphrase=FIRST)
    before = load_operators(site / "operators.toml")["eva"]
    assert operator(monkeypatch, site, "set-role", "eva", "--role", "supervisor") == 0
    after = load_operators(site / "operators.toml")["eva"]
    assert (after.role, after.hash) == (Role.SUPERVISOR, before.hash)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("passwd", "tom"), "operator list"),
        (("set-role", "tom", "--role", "operator"), "operator list"),
        (("set-role", "eva"), "--role supervisor"),
        (("passwd", "eva", "--role", "operator"), "--role"),
        (("passwd",), "groundwatch operator passwd"),
    ],
)
def test_operator_wrong_word_is_one_line_and_exit_2(site, monkeypatch, capsys, words, part):
    operator(monkeypatch, site, "add", "eva", passphrase=FIRST)
    capsys.readouterr()
    before = (site / "operators.toml").read_bytes()
    assert operator(monkeypatch, site, *words, passphrase=SECOND) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert part in err
    assert (site / "operators.toml").read_bytes() == before
