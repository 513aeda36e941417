# SPDX-License-Identifier: MIT
"""Progress for the installer: a line for each step, a bar during a transfer."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn


class Screen:
    """Writes to standard error; standard output holds only the result."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            DownloadColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None

    def show(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def begin(self, what: str, total: int) -> None:
        """Start a bar of so many bytes; 0: the size is not known."""
        self._progress.start()
        self._task = self._progress.add_task(what, total=total or None)

    def advance(self, size: int) -> None:
        """Add so many bytes to the bar."""
        if self._task is not None:
            self._progress.advance(self._task, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()
