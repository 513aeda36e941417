# SPDX-License-Identifier: MIT
"""Connectors: Home Assistant: nodes, sectors and the site as devices, by its MQTT discovery."""

from gateway.connectors.home_assistant.config import HomeAssistantConfig
from gateway.connectors.home_assistant.run import HomeAssistant
from gateway.ports.connector import ConnectorType

TYPE = ConnectorType(
    "home_assistant",
    HomeAssistantConfig,
    HomeAssistant.make,
    "nodes, sectors and alarms as devices of Home Assistant",
)
