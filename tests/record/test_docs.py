# SPDX-License-Identifier: MIT
"""Commands of docs/recording-protocol.md and the README work as printed, on a simulated node."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tools.cli import main
from tools.record.consent_note import NOTE

PAGE = ROOT / "docs" / "recording-protocol.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = "3"  # of each recording; with the null score's first ten seconds for one of them
NULL_SECONDS = "14"


def commands() -> list[list[str]]:
    """All printed `groundwatch` commands, in order."""
    lines = [line for block in _BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]
    found = [line for line in lines if line.startswith("groundwatch ")]
    readme = (ROOT / "README.md").read_text().splitlines()
    found += [line for line in readme if line.startswith("groundwatch record ")]
    return [shlex.split(line, comments=True)[1:] for line in found]


def as_run(words: list[str]) -> list[str]:
    """The same with a simulated node, for some seconds."""
    if words[0] != "record" or words[1] in ("export", "check"):
        return words
    short = NULL_SECONDS if "--background" in words else SECONDS
    if "--seconds" in words:
        words[words.index("--seconds") + 1] = short
    else:
        words = [*words, "--seconds", short]
    return words if "--scenario" in words else ["record", "n01", *words[2:], *SIMULATED]


SIMULATED = ["--scenario", "bench_walker"]


def test_commands_of_the_protocol_work_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = commands()
    assert len(found) == 9
    monkeypatch.chdir(tmp_path)
    (tmp_path / "takes").mkdir()
    (people,) = _TOML.findall(PAGE.read_text())
    assert tomllib.loads(people)["person"][0]["id"] == "p03"
    (tmp_path / "takes" / "people.toml").write_text(people)
    (tmp_path / "marks.txt").write_text("1 40 m@40:0\n2 30 m@30:0\n2.5 end\n")
    for words in found:
        status = main(as_run(list(words)))
        shown = capsys.readouterr()
        assert status == 0, (words, shown)
    assert (tmp_path / "set.tar.gz").exists()


def test_protocol_option_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--protocol"]) == 0
    assert capsys.readouterr().out == PAGE.read_text()


def test_consent_note_states_what_is_kept_and_how_to_withdraw() -> None:
    for word in ("pseudonym", "withdraw", "published", "No picture"):
        assert word in NOTE
