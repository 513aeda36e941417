# SPDX-License-Identifier: MIT
"""Connectors: mqtt: notifications to another broker, and the picture as retained JSON."""

from gateway.connectors.mqtt.config import MqttConfig
from gateway.connectors.mqtt.run import make
from gateway.ports.connector import ConnectorType

TYPE = ConnectorType("mqtt", MqttConfig, make, "alarms, and the picture if wanted, on a broker")
