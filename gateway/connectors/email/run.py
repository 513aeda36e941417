# SPDX-License-Identifier: MIT
"""Connectors: email: one message for each delivery, to all addresses."""

from __future__ import annotations

from typing import Any

from gateway.config.fields import tls_files
from gateway.connectors.email.config import EmailConfig
from gateway.connectors.email.translate import compose
from gateway.ports.connector import DELIVERY_TIMEOUT_S, Context, DeliveryError
from gateway.ports.problems import failure_text
from gateway.tls import client_context


class Email:
    """A receiver recognises a copy by its Message-ID."""

    def __init__(self, config: EmailConfig) -> None:
        self._config = config
        self._tls = None if config.tls == "none" else client_context(tls_files(config.ca_file))

    @classmethod
    def make(cls, config: EmailConfig, _context: Context) -> Email:
        """Raises ConfigError."""
        return cls(config)

    async def deliver(self, body: dict[str, Any]) -> str:
        """Accepted when this returns. Raises DeliveryError."""
        import aiosmtplib  # only where a connector that needs it is configured

        config = self._config
        try:
            await aiosmtplib.send(
                compose(config, body),
                hostname=config.host,
                port=config.port,
                username=config.username,
                password=config.password,
                use_tls=config.tls == "tls",
                start_tls=config.tls == "starttls",
                tls_context=self._tls,
                timeout=DELIVERY_TIMEOUT_S,
            )
        except aiosmtplib.SMTPResponseException as error:
            # RFC 5321 4.2.1: 5yz is final. A wrong password can be corrected, perhaps soon.
            again = error.code < 500 or isinstance(error, aiosmtplib.SMTPAuthenticationError)
            raise DeliveryError(f"mail server answered {error.code}", again) from None
        except aiosmtplib.SMTPRecipientsRefused:
            raise DeliveryError("mail server refused the addresses", again=False) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if type(error) is aiosmtplib.SMTPException and config.tls == "starttls":
                raise DeliveryError("the mail server offers no STARTTLS there") from None
            raise DeliveryError(failure_text(error)) from None
        return "the mail server accepted it"
