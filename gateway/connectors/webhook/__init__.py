# SPDX-License-Identifier: MIT
"""Connectors: webhook: notifications as signed JSON to a web server."""

from gateway.connectors.webhook.config import WebhookConfig
from gateway.connectors.webhook.run import Webhook
from gateway.ports.connector import ConnectorType

TYPE = ConnectorType("webhook", WebhookConfig, Webhook.make, "signed JSON to a web server")
