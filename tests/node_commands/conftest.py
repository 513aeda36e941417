# SPDX-License-Identifier: MIT
"""The verb `groundwatch node` as a user gives it, and a node with its gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tools.cli import main

Verb = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs `groundwatch node` with these words; gives exit code, output and errors."""
    config = ["--config", str(tmp_path / "gateway.toml")]

    async def verb(*words: str) -> tuple[int, str, str]:
        try:
            code = await asyncio.to_thread(main, ["node", *words, *config])
        except SystemExit as error:
            code = int(str(error.code))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return verb
