# SPDX-License-Identifier: MIT
"""Secrets on disk: a file that its owner alone may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from gateway.errors import ConfigError


def read_private(path: Path, most: int) -> bytes:
    """At most `most` bytes of it. Raises OSError, and ConfigError when others may read it."""
    with path.open("rb") as file:
        # Of the open file: what a name stands for may change in between.
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ConfigError(f"others may read {path}: chmod 600 {path}")
        return file.read(most)
