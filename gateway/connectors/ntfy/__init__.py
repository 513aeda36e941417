# SPDX-License-Identifier: MIT
"""Connectors: ntfy: notifications to phones through an ntfy server."""

from gateway.connectors.ntfy.config import NtfyConfig
from gateway.connectors.ntfy.run import Ntfy
from gateway.ports.connector import ConnectorType

TYPE = ConnectorType("ntfy", NtfyConfig, Ntfy.make, "push notifications through an ntfy server")
