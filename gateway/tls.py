# SPDX-License-Identifier: MIT
"""TLS: which authorities a connection of ours trusts, and its own certificate.

Certificate and host name are always checked: no configuration key turns that off.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import ConfigError
from gateway.private_file import read_private
from gateway.toml_table import Table

_MAX_PEM = 1 << 20


@dataclass(frozen=True, slots=True)
class Trust:
    """Ready for use; `digest` is of the files it was made from, to notice that they changed."""

    digest: str
    context: ssl.SSLContext = field(compare=False, repr=False)


def read_trust(table: Table, folder: Path, client: bool = False) -> Trust:
    """From `ca_file` (without it: the system's authorities) and, where the protocol has one
    (`client`), a certificate of ours with its key. Raises ConfigError."""
    names = ["ca_file", *(("cert_file", "cert_key_file") if client else ())]
    found = {
        name: folder / table.text(name, f"{name.removesuffix('_file')}.pem")
        for name in names
        if table.has(name)
    }
    if ("cert_file" in found) != ("cert_key_file" in found):
        raise table.fail("cert_file", "and cert_key_file go together", 'cert_file = "client.pem"')
    digest = hashlib.sha256()
    for name, path in found.items():
        digest.update(_read(path, is_secret=name == "cert_key_file"))
    ca, cert, key = (found.get(name) for name in ("ca_file", "cert_file", "cert_key_file"))
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise ConfigError(f"{ca}: holds no certificate in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325
    if cert is not None and key is not None:
        try:
            # An empty pass phrase, or OpenSSL asks at the terminal for one.
            context.load_cert_chain(cert, key, password="")
        except ssl.SSLError:
            raise ConfigError(
                f"{cert}: is no certificate in PEM that goes with {key}, a key without pass phrase"
            ) from None
    return Trust(digest.hexdigest(), context)


def _read(path: Path, is_secret: bool) -> bytes:
    try:
        if is_secret:
            return read_private(path, _MAX_PEM)
        with path.open("rb") as file:
            return file.read(_MAX_PEM)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
