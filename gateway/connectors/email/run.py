# SPDX-License-Identifier: MIT
"""Connectors: email: one message for each delivery, to one address."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gateway.config.fields import tls_files
from gateway.connectors.email.config import EmailConfig
from gateway.connectors.email.translate import (
    compose,
    content_heals,
    own_name,
    recipient_heals,
)
from gateway.ports.connector import DELIVERY_TIMEOUT_S, Context, DeliveryError
from gateway.ports.problems import failure_text
from gateway.tls import client_context

if TYPE_CHECKING:
    import aiosmtplib

_QUIT_S = 1.0
_UNKNOWN = "unknown"  # until the connection shows our address; nothing greets with it


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
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            local_hostname=_UNKNOWN,
            use_tls=config.tls == "tls",
            start_tls=False,
            tls_context=self._tls,
            timeout=DELIVERY_TIMEOUT_S,
        )
        try:
            await self._send(client, body)
            with contextlib.suppress(aiosmtplib.SMTPException):  # it has accepted the message
                await client.quit(timeout=_QUIT_S)
        except aiosmtplib.SMTPRecipientsRefused as error:
            (one,) = error.recipients
            again = recipient_heals(one.code, one.message)
            raise DeliveryError(f"mail server answered {one.code}", again) from None
        except aiosmtplib.SMTPDataError as error:
            again = content_heals(error.code, error.message)
            raise DeliveryError(f"mail server answered {error.code}", again) from None
        except aiosmtplib.SMTPResponseException as error:
            # The greeting, the login or the sender: a person can correct it, or it ends by itself.
            raise DeliveryError(f"mail server answered {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            if type(error) is aiosmtplib.SMTPException and config.tls == "starttls":
                raise DeliveryError("the mail server offers no STARTTLS there") from None
            raise DeliveryError(failure_text(error)) from None
        finally:
            client.close()
        return "the mail server accepted it"

    async def _send(self, client: aiosmtplib.SMTP, body: dict[str, Any]) -> None:
        """To one recipient, so that its refusal is not that of another."""
        config = self._config
        await client.connect()
        client.local_hostname = own_name(client.get_transport_info("sockname")[0])
        if config.tls == "starttls":
            await client.starttls()
        if config.username is not None:
            await client.login(config.username, config.password or "")
        await client.send_message(
            compose(config, body), sender=config.sender, recipients=[body["to"]]
        )
