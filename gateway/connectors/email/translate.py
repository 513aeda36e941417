# SPDX-License-Identifier: MIT
"""Connectors: email: the message for a notification. Pure."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from gateway.connectors.email.config import EmailConfig
from gateway.model.text import format_json


def compose(config: EmailConfig, body: dict[str, Any]) -> EmailMessage:
    """Text for people, and the fields as an attachment for programs."""
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = ", ".join(config.to)
    message["Subject"] = body["title"]
    message["Date"] = formatdate(body["at_us"] / 1e6)
    domain = config.sender.rpartition("@")[2]
    unique = f"{body['site']}-{body['delivery']}-{body['at_us']}"
    message["Message-ID"] = f"<{unique}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from holiday programs
    if body["priority"] == 1:
        message["X-Priority"] = "1"
    message.set_content(f"{body['text']}\n\nalarm {body['alarm']}, {body['state']}\n")
    message.add_attachment(
        format_json(body).encode(), "application", "json", filename=f"alarm{body['alarm']}.json"
    )
    return message
