# SPDX-License-Identifier: MIT
"""A certificate authority of our own, and the certificates it gives: good ones and others."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """`ca` is its certificate as a file."""

    folder: Path
    name: str = "site"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.ca = self.folder / f"{self.name}-ca.pem"
        self.subject = _name(f"authority {self.name}")
        builder = self._builder(self.subject, self.key.public_key(), -1, 10)
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
        self.ca.write_bytes(self._sign(builder))

    def give(self, host: str, since_days: int = -1, until_days: int = 10) -> tuple[Path, Path]:
        """(certificate, key) for a host, valid so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(host), key.public_key(), since_days, until_days)
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
        certificate = self.folder / f"{self.name}-{host}-{until_days}.pem"
        private = certificate.with_suffix(".key")
        certificate.write_bytes(self._sign(builder))
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, private

    def server(self, host: str = "127.0.0.1", **days: int) -> ssl.SSLContext:
        """What a server of that host shows."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.give(host, **days))
        return context

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, since: int, until: int
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + since * DAY)
            .not_valid_after(now + until * DAY)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
