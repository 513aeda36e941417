# SPDX-License-Identifier: MIT
"""Output files: checked before the work begins, written beside and renamed, so that an earlier file
is there until the new one is whole."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.files import write_atomic
from tools.errors import UserError


def check(path: Path) -> None:
    """That `write` can write there. Raises UserError."""
    if _is_device(path):
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder to write into; make it first")
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"cannot write {path}: {folder} is not writable")


def check_folder(path: Path) -> None:
    """That a folder of this name can be made, or that files can be written into it. Raises
    UserError."""
    if path.is_dir():
        check(path / "file")
    elif path.exists():
        raise UserError(f"{path} is a file; name a folder")
    else:
        check_folder(path.resolve().parent)


def read(path: Path) -> str:
    """The text of a file that will be changed, before the work begins. Raises UserError."""
    check(path)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {path}: it is no text in UTF-8") from None


def write(path: Path, data: str | bytes) -> None:
    """Replace the file. Raises UserError; then an earlier file is unchanged."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        if _is_device(path):
            path.write_bytes(raw)
            return
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        write_atomic(path.resolve(), raw, mode)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def _is_device(path: Path) -> bool:
    """Such as /dev/stdout, which cannot be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
