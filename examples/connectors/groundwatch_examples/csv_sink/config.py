# SPDX-License-Identifier: MIT
"""Connectors, csv: its `[[connector]]` table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from gateway.ports.connector import ConnectorConfig


class CsvConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`path` is relative to gateway.toml. A file of `max_bytes` is renamed to *.1 and started
    again."""

    path: Path
    max_bytes: Annotated[int, Meta(ge=10_000, le=10_000_000_000)] = 100_000_000
