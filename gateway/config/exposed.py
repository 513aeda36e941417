# SPDX-License-Identifier: MIT
"""Configuration: secrets that others can read: in a file of a wide mode, or in the clear on a
network. The gateway starts all the same: an update must not end the watch of a site."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config.fields import is_loopback
from gateway.config.network import BrokerConfig, BrokerKind
from gateway.ports.connector import ConnectorConfig


def exposed(
    path: Path,
    raw: Mapping[str, Any],
    broker: BrokerConfig,
    connectors: Iterable[ConnectorConfig],
) -> tuple[str, ...]:
    """A line for each; `raw` is the content of gateway.toml at `path`."""
    return (*_readable(path, raw), *_in_the_clear(broker, connectors))


def _readable(path: Path, raw: Mapping[str, Any]) -> Iterator[str]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return
    for table, key in (("broker", "password"), ("nodes", "passphrase")):
        if key in raw.get(table, {}):
            yield f"others may read {table}.{key} in {path}: chmod 600 {path}, or use {key}_file"
    if urlsplit(raw.get("store", {}).get("url", "")).password:
        yield f"others may read the password in store.url of {path}: chmod 600 {path}"


def _in_the_clear(broker: BrokerConfig, connectors: Iterable[ConnectorConfig]) -> Iterator[str]:
    is_external = broker.kind is BrokerKind.EXTERNAL
    if is_external and broker.password and not broker.tls and not is_loopback(broker.host):
        yield "the password of the broker is sent in the clear: tls = true"
    for one in connectors:
        url, host = getattr(one, "url", None), getattr(one, "host", None)
        if url and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).hostname or ""):
            yield f"connector {one.name} sends in the clear: https in its url"
        is_plain = getattr(one, "tls", "") == "none" and getattr(one, "password", None)
        if host and is_plain and not is_loopback(host):
            yield f'the password of connector {one.name} is sent in the clear: tls = "tls"'
