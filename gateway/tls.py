# SPDX-License-Identifier: MIT
"""TLS: whom we accept as the other side, and the certificate that we show.

The certificate and the name of the host are always checked: no option turns that off.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.errors import ConfigError
from gateway.private_file import read_private

_MAX_PEM = 1 << 20


def client_context(ca_file: str = "", cert_file: str = "", cert_key_file: str = "") -> ssl.SSLContext:
    """From the authority to accept (empty: those of the system) and a certificate of ours with its
    key (mode 0600, without pass phrase). Raises ConfigError."""
    for name, is_secret in ((ca_file, False), (cert_file, False), (cert_key_file, True)):
        if name:
            _check_readable(Path(name), is_secret)
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError:
        raise ConfigError(f"{ca_file}: holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325
    if cert_file and cert_key_file:
        try:
            # An empty pass phrase, or OpenSSL asks at the terminal for one.
            context.load_cert_chain(cert_file, cert_key_file, password="")
        except ssl.SSLError:
            raise ConfigError(
                f"{cert_file}: is no certificate in PEM that goes with {cert_key_file}, "
                "a key without pass phrase"
            ) from None
    return context


def _check_readable(path: Path, is_secret: bool) -> None:
    try:
        if is_secret:
            read_private(path, _MAX_PEM)
        else:
            with path.open("rb") as file:
                file.read(_MAX_PEM)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
