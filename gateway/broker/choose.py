# SPDX-License-Identifier: MIT
"""Broker: which one carries a site's messages, by what the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.broker.embedded import EmbeddedBroker
from gateway.broker.external import ExternalBroker
from gateway.broker.interface import GATEWAY_USER, Broker
from gateway.broker.mosquitto import MosquittoBroker
from gateway.config import BrokerConfig, BrokerKind
from gateway.keys import KeyRing
from gateway.mqtt.access import MqttAccess
from gateway.ports.link import Clock, Offer
from gateway.tls import client_context


def passwords_of(keys: Mapping[str, KeyRing]) -> dict[str, tuple[str, ...]]:
    """With which nodes may log in."""
    return {node: ring.mqtt_passwords for node, ring in keys.items()}


def broker_for(
    wanted: BrokerConfig,
    data_dir: Path,
    site: str,
    passwords: dict[str, tuple[str, ...]],
    offer: Offer,
    clock: Clock,
) -> Broker:
    """Not started yet. The embedded one is a link too, and offers what arrives by itself."""
    match wanted.kind:
        case BrokerKind.EMBEDDED:
            return EmbeddedBroker(wanted.host, wanted.port, site, passwords, offer, clock)
        case BrokerKind.MOSQUITTO:
            folder = data_dir / "mosquitto"
            return MosquittoBroker(wanted.host, wanted.port, site, passwords, folder)
        case BrokerKind.EXTERNAL:
            return ExternalBroker(_access(wanted, site))


def _access(wanted: BrokerConfig, site: str) -> MqttAccess:
    user = wanted.username
    return MqttAccess(
        wanted.host,
        wanted.port,
        user,
        wanted.password,
        client_id=GATEWAY_USER if user == GATEWAY_USER else f"{GATEWAY_USER}-{site}",
        persistent=True,
        tls=client_context(wanted.trusted) if wanted.trusted else None,
        transport=wanted.transport,
        websocket_path=wanted.websocket_path,
        version=wanted.version,
    )
