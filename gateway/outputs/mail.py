# SPDX-License-Identifier: MIT
"""Outputs: e-mail by SMTP."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

import aiosmtplib

from gateway.model.text import format_json
from gateway.outputs.config import OutputConfig, Tls
from gateway.outputs.delivery import TIMEOUT_S, DeliveryError
from gateway.outputs.problems import plain


class Mail:
    """One message to all addresses; its Message-ID tells a receiver a copy."""

    def __init__(self, config: OutputConfig) -> None:
        self._config = config

    async def deliver(self, body: dict[str, Any]) -> str:
        """Handed over when this returns. Raises DeliveryError."""
        config = self._config
        try:
            await aiosmtplib.send(
                compose(config, body),
                hostname=config.host,
                port=config.port,
                username=config.username,
                password=config.password,
                use_tls=config.tls is Tls.TLS,
                start_tls=config.tls is Tls.STARTTLS,
                tls_context=config.trust.context if config.trust else None,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPResponseException as error:
            # RFC 5321 4.2.1: 5yz is for good. A wrong password is somebody's to mend, perhaps soon.
            again = error.code < 500 or isinstance(error, aiosmtplib.SMTPAuthenticationError)
            raise DeliveryError(f"mail server answered {error.code}", again) from None
        except aiosmtplib.SMTPRecipientsRefused:
            raise DeliveryError("mail server refused the addresses", again=False) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if type(error) is aiosmtplib.SMTPException and config.tls is Tls.STARTTLS:
                raise DeliveryError("the mail server offers no STARTTLS there") from None
            raise DeliveryError(plain(error)) from None
        return "the mail server took it"


def compose(config: OutputConfig, body: dict[str, Any]) -> EmailMessage:
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
