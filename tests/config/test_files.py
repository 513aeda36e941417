# SPDX-License-Identifier: MIT
"""Files are replaced whole, and secrets of mode 0600 alone are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.files import create_private, read_private, write_atomic


def test_atomic_write_replaces_content_and_sets_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    write_atomic(path, "new", 0o640)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_syncs_the_file_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    seen: list[tuple[bool, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        seen.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomic(path, b"x")
    assert seen == [(False, False), (True, True)]


def test_atomic_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_private_file_is_created_once_and_read_back_bounded(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    create_private(path, "0123456789")
    assert read_private(path, 4) == b"0123"
    with pytest.raises(FileExistsError):
        create_private(path, "other")
    assert read_private(path, 99) == b"0123456789"


def test_private_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    create_private(path, "x")
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_private(path, 10)
