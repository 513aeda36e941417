# SPDX-License-Identifier: MIT
"""Connectors: email: the message for a notification, and what a refusal means. Pure."""

from __future__ import annotations

import ipaddress
import re
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from gateway.connectors.email.config import EmailConfig
from gateway.model.text import format_json

# RFC 3463: no such mailbox or domain, disabled, too large; RFC 5321: the same without such a code.
_NO_RECIPIENT = re.compile(r"5\.(1\.[0-9]{1,3}|2\.[134]|3\.4)\b")
_NO_MAILBOX = frozenset({550, 551, 553})
_FULL = re.compile(r"5\.(2\.2|3\.1)\b")  # mailbox or system full: there is room later
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")


def recipient_heals(code: int, text: str) -> bool:
    """Whether a refusal of the recipient may end: all but "there is no such mailbox".

    Servers refuse at this point, too, what they dislike of the client (RFC 5321 4.2.2: 504 for its
    name) or of its relaying (5.7.1), which a person can correct."""
    if code < 500:
        return True
    if _ENHANCED.match(text):
        return not _NO_RECIPIENT.match(text)
    return code not in _NO_MAILBOX


def content_heals(code: int, text: str) -> bool:
    """Whether a refusal of the message may end; a server that dislikes it would dislike copies."""
    return code < 500 or _FULL.match(text) is not None


def own_name(address: str) -> str:
    """What to greet a server with: RFC 5321 4.1.3, an address literal. The name of a laptop is
    seldom one of the DNS, and servers refuse a bare one."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    return f"[IPv6:{plain}]" if plain.version == 6 else f"[{plain}]"


def compose(config: EmailConfig, body: dict[str, Any]) -> EmailMessage:
    """Text for people, and the fields as an attachment for programs."""
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = body["to"]
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
