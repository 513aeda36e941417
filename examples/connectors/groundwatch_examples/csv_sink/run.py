# SPDX-License-Identifier: MIT
"""Connectors, csv: appends rows, in a thread so that a slow disk delays nothing else."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence

from gateway.ports.connector import Context, Port
from gateway.ports.follow import follow
from groundwatch_examples.csv_sink.config import CsvConfig
from groundwatch_examples.csv_sink.translate import HEADER, Row, rows


class CsvSink:
    """What fails is raised: the gateway starts `run` again, which starts with the whole picture."""

    def __init__(self, config: CsvConfig) -> None:
        self._config = config

    @classmethod
    def make(cls, config: CsvConfig, _context: Context) -> CsvSink:
        """No I/O here."""
        return cls(config)

    async def run(self, port: Port) -> None:
        """Until cancelled. Raises OSError."""
        async for delta in follow(port.picture):
            fresh = rows(delta, port.clock_us())
            if await asyncio.to_thread(self._append, fresh):
                # The new file must state everything: a reader of it has nothing else.
                whole = rows(port.picture.since(0), port.clock_us())
                await asyncio.to_thread(self._append, whole)
            port.status.counters["sent"] += len(fresh)
            port.status.connected(port.clock_us())

    def _append(self, fresh: Sequence[Row]) -> bool:
        """True when the file was full and another one was started."""
        path, is_full = self._config.path, False
        if path.exists() and path.stat().st_size > self._config.max_bytes:
            path.replace(path.with_name(f"{path.name}.1"))
            is_full = True
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([HEADER] if is_new else [])
            writer.writerows(fresh)
        return is_full
