# SPDX-License-Identifier: MIT
"""TLS: which peers are accepted, and the certificate that is presented.

The certificate and the name of the host are always checked: no option turns that off.
"""

from __future__ import annotations

import ssl

from gateway.config.fields import TlsFiles
from gateway.errors import ConfigError


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """From the authority to accept (None: those of the system) and a certificate of ours with its
    key, which has no pass phrase. Raises ConfigError."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (ssl.SSLError, OSError):
        raise ConfigError(f"{files.ca}: holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325
    if files.cert is not None and files.cert_key is not None:
        try:
            # An empty pass phrase, or OpenSSL asks at the terminal for one.
            context.load_cert_chain(files.cert, files.cert_key, password="")
        except (ssl.SSLError, OSError):
            raise ConfigError(
                f"{files.cert}: is no certificate in PEM that goes with {files.cert_key}, "
                "a key without pass phrase"
            ) from None
    return context
