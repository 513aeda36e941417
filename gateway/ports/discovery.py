# SPDX-License-Identifier: MIT
"""Ports: finding the kinds of connector that are installed, by entry point.

Those of Groundwatch itself are found by module too, so that a source tree works without an install.
A kind is loaded when it is asked for; whatever else is installed costs nothing.
"""

from __future__ import annotations

import importlib
import re
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

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
    entry = _installed().get(kind)
    if kind in BUILT_IN:
        made = _checked(kind, BUILT_IN[kind], _load(BUILT_IN[kind]))
        return made if entry is None else _complete(made, entry)
    if entry is None:
        raise ConfigError(
            f"there is no connector kind {kind[:32]!r}; there are {', '.join(known_kinds())}"
        )
    try:
        found = entry.load()
    except ModuleNotFoundError as error:
        raise _not_installed(entry, next(iter(entry.extras), ""), str(error.name)) from None
    except Exception as error:
        raise ConfigError(
            f"connector kind {kind!r} cannot be loaded: {type(error).__name__} in {entry.value}"
        ) from error
    return _complete(_checked(kind, entry.value, found), entry)


def _complete(made: ConnectorType, entry: EntryPoint) -> ConnectorType:
    missing = _missing_library(made.needs, entry)
    if missing:
        raise _not_installed(entry, made.needs, missing)
    return made


def _load(name: str) -> object:
    module, _colon, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _checked(kind: str, name: str, found: object) -> ConnectorType:
    if not isinstance(found, ConnectorType) or found.kind != kind:
        raise ConfigError(f"connector kind {kind!r}: {name} is no ConnectorType of that kind")
    return found


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def _not_installed(entry: EntryPoint, extra: str, library: str) -> ConfigError:
    package = entry.dist.name if entry.dist is not None else "groundwatch"
    install = f'"{package}[{extra}]"' if extra else library
    return ConfigError(
        f"connector kind {entry.name} needs {library!r}, which is not installed: "
        f"pip install {install}"
    )


def _missing_library(extra: str, entry: EntryPoint) -> str:
    """A distribution of the extra that is not installed, or nothing."""
    if not extra or entry.dist is None:
        return ""
    for requirement in entry.dist.requires or ():
        name, _, marker = requirement.partition(";")
        if not re.search(rf"""extra\s*==\s*["']{re.escape(extra)}["']""", marker):
            continue
        distribution = re.split(r"[^A-Za-z0-9._-]", name.strip(), maxsplit=1)[0]
        try:
            version(distribution)
        except PackageNotFoundError:
            return distribution
    return ""
