# SPDX-License-Identifier: MIT
"""Ports: finding the kinds of connector that are installed, by entry point.

Those of Groundwatch itself are found by module too, so that a source tree works without an install.
A kind is loaded when it is asked for; whatever else is installed costs nothing.
"""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, entry_points

from gateway.errors import ConfigError
from gateway.ports.connector import ENTRY_POINTS, ConnectorType

BUILT_IN = {
    "email": "gateway.connectors.email:TYPE",
    "home_assistant": "gateway.connectors.home_assistant:TYPE",
    "mqtt": "gateway.connectors.mqtt:TYPE",
    "ntfy": "gateway.connectors.ntfy:TYPE",
    "webhook": "gateway.connectors.webhook:TYPE",
}


def known_kinds() -> tuple[str, ...]:
    """Every `kind` that a `[[connector]]` may have, sorted."""
    return tuple(sorted({*BUILT_IN, *_installed()}))


def find_type(kind: str) -> ConnectorType:
    """Raises ConfigError: there is no such kind, or its package is broken or incomplete."""
    if kind in BUILT_IN:
        module, _colon, attribute = BUILT_IN[kind].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, ConnectorType)
        return found
    entry = _installed().get(kind)
    if entry is None:
        raise ConfigError(
            f"there is no connector kind {kind[:32]!r}; there are {', '.join(known_kinds())}"
        )
    try:
        found = entry.load()
    except ImportError as error:
        raise ConfigError(
            f"connector kind {kind!r} needs {error.name or 'a package'}, which is not installed"
        ) from None
    except Exception as error:
        raise ConfigError(
            f"connector kind {kind!r} cannot be loaded: {type(error).__name__} in {entry.value}"
        ) from error
    if not isinstance(found, ConnectorType) or found.kind != kind:
        raise ConfigError(
            f"connector kind {kind!r}: {entry.value} is no ConnectorType of that kind"
        )
    return found


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
