# SPDX-License-Identifier: MIT
"""Connectors made from a table as gateway.toml holds it, with secrets resolved."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from gateway.config.reading import convert
from gateway.model.place.site import Node, Sector, Site
from gateway.ports.connector import ConnectorConfig, Context
from gateway.ports.discovery import find_type

SITE = Site(
    "yard",
    {
        "n01": Node("n01", 0.0, 0.0, "west"),
        "n02": Node("n02", 25.0, 0.0, "west"),
        "n03": Node("n03", 50.0, 0.0, "east"),
    },
    {"west": Sector("west"), "east": Sector("east")},
)


def now_us() -> int:
    return time.time_ns() // 1000


def read(folder: Path, **values: Any) -> ConnectorConfig:
    """One `[[connector]]` of a gateway.toml in that folder. Raises ConfigError."""
    table = {"name": "phone", **values}
    kind = find_type(table["kind"])
    return convert(table, kind.config, "gateway.toml", folder, "connector[0]")


def make(config: ConnectorConfig, site: Site = SITE) -> object:
    context = Context(site, now_us, random.Random(1))
    return find_type(config.kind).make(config, context)
