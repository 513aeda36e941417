# SPDX-License-Identifier: MIT
"""Wire: the MQTT topics of a site, and the largest packet that anything of it needs."""

from __future__ import annotations

# A sealed message of 1536 bytes, its topic and the MQTT header.
MAX_PACKET = 2048


def uplink_topic(site: str, node: str) -> str:
    """Topic of what a node sends."""
    return f"groundwatch/v1/{site}/{node}/up"


def downlink_topic(site: str, node: str) -> str:
    """Topic of what a node is sent."""
    return f"groundwatch/v1/{site}/{node}/down"


def uplink_filter(site: str) -> str:
    """The subscription that matches the uplinks of all nodes."""
    return uplink_topic(site, "+")
