# SPDX-License-Identifier: MIT
"""Accountability: the newest checkpoint in a file beside the store, and a line in the log.

A store that was cut back, or put back from an old copy, ends before its head.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from gateway.errors import ConfigError
from gateway.files import write_atomic
from gateway.store.interface import CheckpointRow, Writes

_LOG = logging.getLogger(__name__)
NAME = "audit.head"
CODE_DIGITS = 16  # of the link: enough to write down, too much to find another chain for
_MAX_FILE = 4096


def code(link: bytes) -> str:
    """The short form, for a screen and for paper."""
    return link.hex()[:CODE_DIGITS]


class HeadFile:
    """Written after each commit that holds a checkpoint, by the thread that commits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failing = False

    def committed(self, writes: Writes) -> None:
        """Never raises: the store has it all, and the next checkpoint is another chance."""
        if not writes.checkpoints:
            return
        newest = writes.checkpoints[-1]
        _LOG.info("audit entry=%d code=%s", newest.number, code(newest.link))
        try:
            write_atomic(self._path, json.dumps(to_plain(newest)) + "\n", 0o644)
            self._failing = False
        except OSError as error:
            if not self._failing:
                _LOG.error("cannot write %s: %s", self._path, error.strerror)
            self._failing = True


def to_plain(row: CheckpointRow) -> dict[str, int | str]:
    """Bytes as hexadecimal digits."""
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in row._asdict().items()
    }


def from_plain(value: object) -> CheckpointRow:
    """Inverse of `to_plain`. Raises ValueError for anything else."""
    if not isinstance(value, dict) or set(value) != set(CheckpointRow._fields):
        raise ValueError("not a checkpoint")
    number, at_us = value["number"], value["at_us"]
    texts = [value[name] for name in ("link", "key_id", "signature")]
    numbers = all(type(each) is int and abs(each) < 1 << 63 for each in (number, at_us))
    if not numbers or not all(isinstance(each, str) for each in texts):
        raise ValueError("not a checkpoint")
    link, key_id, signature = (bytes.fromhex(each) for each in texts)
    return CheckpointRow(number, link, at_us, key_id, signature)


def load(path: Path) -> CheckpointRow:
    """The checkpoint in a head file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return from_plain(json.loads(file.read(_MAX_FILE)))
    except OSError as error:
        raise ConfigError(f"cannot read the head file {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is no head file; give the gateway's {NAME}") from None
