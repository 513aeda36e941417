# SPDX-License-Identifier: MIT
"""Connectors: email: notifications by SMTP."""

from gateway.connectors.email.config import EmailConfig
from gateway.connectors.email.run import Email
from gateway.ports.connector import ConnectorType

TYPE = ConnectorType("email", EmailConfig, Email.make, "messages through a mail server", "email")
