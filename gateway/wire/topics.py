# SPDX-License-Identifier: MIT
"""The wire: the topics of a site's nodes."""

from __future__ import annotations


def uplink_topic(site: str, node: str) -> str:
    """Topic of what a node sends."""
    return f"groundwatch/v1/{site}/{node}/up"


def downlink_topic(site: str, node: str) -> str:
    """Topic of what a node is sent."""
    return f"groundwatch/v1/{site}/{node}/down"


def addressed_node(topic: str) -> str:
    """The node that an uplink's topic names, not yet authenticated; empty when it names none."""
    parts = topic.split("/", 5)
    return parts[3] if len(parts) == 5 else ""
