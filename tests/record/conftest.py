# SPDX-License-Identifier: MIT
"""Takes for the tests: of a node that streamed once, and of ground without a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.node.conftest import walker
from tests.record.played import recorded, session_of, streamed
from tools.record.marks import Label, Mark
from tools.record.session import Session

CONSENT = '[[person]]\nid = "p03"\nname = "Ben Okafor"\nconsented = 2026-05-03\n'
WALK_S = (15.0, 35.0)
MARKS = (
    Mark(2.0, Label("background")),
    Mark(WALK_S[0], Label("walks", (-10.0, 4.0))),
    Mark(WALK_S[1], Label("walks", (10.0, 4.0))),
    Mark(WALK_S[1] + 1, Label("end")),
)


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory, micropython: Path) -> Session:
    """60 s, a person walks from second 15 to 35; the PIR detects it once."""
    folder = tmp_path_factory.mktemp("walked")
    feed = walker(60, *WALK_S)
    return session_of(streamed(folder, micropython, feed, [20.0, 23.0], fs_hz=500))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, micropython: Path) -> Session:
    """60 s of background."""
    folder = tmp_path_factory.mktemp("empty")
    return session_of(streamed(folder, micropython, walker(60, 0, 0), fs_hz=500))


@pytest.fixture
def takes(tmp_path: Path, walked: Session, empty: Session) -> Path:
    """A folder with one take of p03, one of background, and the consent."""
    folder = tmp_path / "takes"
    recorded(walked, folder / "d1-p03-walks", MARKS, label="p03 walks past at 4 m")
    recorded(empty, folder / "d1-background", label="background", people=[], background=True)
    (folder / "people.toml").write_text(CONSENT)
    return folder


@pytest.fixture
def one_line(capsys: pytest.CaptureFixture[str]) -> Callable[[int], str]:
    """What a command that failed printed: one line, checked."""

    def checked(status: int) -> str:
        error = capsys.readouterr().err.strip("\n") + "\n"
        assert status == 2, error
        assert error.count("\n") == 1 and error.startswith("groundwatch: "), error
        return error

    return checked
