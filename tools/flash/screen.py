# SPDX-License-Identifier: MIT
"""What the installer sees: a line for each step, a bar while bytes go."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn


class Screen:
    """Draws on standard error, so that standard output holds what was done and nothing else."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, quiet=quiet)
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            DownloadColumn(),
            console=self._console,
        )
        self._task: TaskID | None = None

    def say(self, text: str) -> None:
        """One line, above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    def begin(self, what: str, total: int) -> None:
        """A bar of so many bytes; 0: nobody knows how many."""
        self._progress.start()
        self._task = self._progress.add_task(what, total=total or None)

    def advance(self, size: int) -> None:
        """So many more bytes went."""
        if self._task is not None:
            self._progress.advance(self._task, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()
