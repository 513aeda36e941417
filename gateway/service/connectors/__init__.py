# SPDX-License-Identifier: MIT
"""Service: connectors of a running gateway: supervised, bounded, and shown."""

from gateway.service.connectors.supervisor import ConnectorService, channels_of, devices_of

__all__ = ["ConnectorService", "channels_of", "devices_of"]
