# SPDX-License-Identifier: MIT
"""Configuration: whom an output believes to be the other side, and as whom it comes itself.

The certificate and the name of the host are always checked: there is no key that turns that off.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from gateway.config.fields import TlsFiles
from gateway.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Trust:
    """Ready for use; `digest` is of the files it was made from, to see that they are others now."""

    digest: str
    context: ssl.SSLContext = field(compare=False, repr=False)


def trust_of(files: TlsFiles) -> Trust:
    """From authorities (without: who the system trusts) and a certificate of ours with its key.

    Raises ConfigError.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except ssl.SSLError:
        raise ConfigError(f"{files.ca}: holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325
    if files.cert is not None and files.cert_key is not None:
        try:
            # An empty pass phrase, or OpenSSL asks at the terminal for one.
            context.load_cert_chain(files.cert, files.cert_key, password="")
        except ssl.SSLError:
            raise ConfigError(
                f"{files.cert}: is no certificate in PEM that goes with {files.cert_key}, "
                "a key without pass phrase"
            ) from None
    return Trust(files.digest, context)
