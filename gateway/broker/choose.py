# SPDX-License-Identifier: MIT
"""The broker: which one carries a site's messages, by what the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.external import ExternalBroker
from gateway.broker.interface import Broker
from gateway.broker.mosquitto import MosquittoBroker
from gateway.config import BrokerConfig, BrokerKind
from gateway.keys import KeyRing


def passwords_of(keys: Mapping[str, KeyRing]) -> dict[str, tuple[str, ...]]:
    """With which nodes may log in."""
    return {node: ring.mqtt_passwords for node, ring in keys.items()}


def broker_for(
    wanted: BrokerConfig, data_dir: Path, site: str, passwords: dict[str, tuple[str, ...]]
) -> Broker:
    """Not started yet."""
    match wanted.kind:
        case BrokerKind.EMBEDDED:
            return EmbeddedBroker(wanted.host, wanted.port, site, passwords)
        case BrokerKind.MOSQUITTO:
            folder = data_dir / "mosquitto"
            return MosquittoBroker(wanted.host, wanted.port, site, passwords, folder)
        case BrokerKind.EXTERNAL:
            return ExternalBroker(wanted.host, wanted.port, wanted.username, wanted.password)
