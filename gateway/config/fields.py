# SPDX-License-Identifier: MIT
"""Configuration: types of fields that many tables share, each with its rule and an example."""

from __future__ import annotations

import codecs
import hashlib
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from msgspec import Meta

from gateway.config.secrets import InlineSecret
from gateway.errors import ConfigError
from gateway.files import read_private

LOOPBACK = "127.0.0.1"
MAX_PEM_BYTES = 1 << 20

# Site and node ids appear in topics, client ids and file names. A `$` alone would let a line end
# pass in Python; in JSON Schema the look-ahead does no harm.
ID_FORM = r"^[a-z0-9_-]{1,16}(?!\n)$"
ID_PATTERN = re.compile(r"[a-z0-9_-]{1,16}")
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ID_WANTS = {"wants": "must be 1 to 16 of a-z 0-9 _ -"}


def identifier_meta(example: str) -> Meta:
    """Constraint of a name that becomes part of topics and file names."""
    return Meta(pattern=ID_FORM, examples=[example], extra=_ID_WANTS)


def form(fits: Callable[[str], bool], wants: str, example: str) -> Meta:
    """Constraint of a text that JSON Schema cannot express; `wants` is its description."""
    return Meta(examples=[example], extra={"fits": fits, "wants": wants})


Identifier = Annotated[str, identifier_meta("n01")]
Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        extra={"fits": str.isprintable, "wants": "must be text of 1 to 1024 characters, one line"},
    ),
]
FileName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        description="Relative to the file that names it.",
        # No system opens a name with a null character.
        extra={"fits": str.isprintable, "wants": "must name a file"},
    ),
]
# TOML has nan, for which no comparison holds, and whole numbers that no float can hold.
Link = Annotated[
    Literal["wifi", "serial"],
    Meta(
        description="How a node reaches the gateway.",
        examples=["serial"],
        extra={"wants": 'must be "wifi" or "serial"'},
    ),
]
Metres = Annotated[
    float, Meta(ge=-1e7, le=1e7, examples=[12.5], extra={"wants": "must be a number of metres"})
]
Port = Annotated[int, Meta(ge=1, le=65535, examples=[1883])]
PortOrFree = Annotated[
    int, Meta(ge=0, le=65535, examples=[1883], description="Port 0 picks a free one.")
]


def is_host(written: str) -> bool:
    """A name or an address that can be looked up: bounded, and encodable for the DNS."""
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return is_name(written)
    return True


def is_name(written: str) -> bool:
    """A name of the DNS (RFC 1123, 2.1; `_` as local names have it). One whose last label is a
    number is no name but a mistyped address."""
    labels = written.removesuffix(".").split(".")
    if len(written) > 253 or labels[-1].isdigit() or not all(map(_is_label, labels)):
        return False
    try:
        written.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_label(written: str) -> bool:
    is_plain = all(one.isalnum() or one in "-_" for one in written)
    return 0 < len(written) <= 63 and is_plain and "-" not in (written[0], written[-1])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_topic(written: str) -> bool:
    """One MQTT topic, outside of the nodes' own."""
    is_one = 0 < len(written) <= 200 and not set("+#\0") & set(written)
    return is_one and not written.startswith("groundwatch/v1/")


def is_mail_address(written: str) -> bool:
    """RFC 5321 4.1.2, without quoted names: nothing that could start another header or address."""
    local, _at, domain = written.rpartition("@")
    if len(written) > 254 or not re.fullmatch(_DOT_ATOM, local):
        return False
    return domain.isascii() and "_" not in domain and is_name(domain)


def is_line(max_characters: int) -> Callable[[str], bool]:
    """Printable, on one line, of 1 to `max_characters`."""
    return lambda written: 0 < len(written) <= max_characters and written.isprintable()


def has_bytes(max_bytes: int) -> Callable[[str], bool]:
    """Of 1 to `max_bytes` in UTF-8."""
    return lambda written: 0 < len(written.encode()) <= max_bytes


Host = Annotated[str, form(is_host, "must be a host name or an address", "192.168.1.5")]
# Where what travels in the clear cannot be read by others.
LoopbackHost = Annotated[
    str, form(is_loopback, "must be of this machine, such as 127.0.0.1", LOOPBACK)
]
Username = Annotated[
    str, form(is_line(256), "must be 1 to 256 characters on one line", "groundwatch")
]
Topic = Annotated[
    str,
    form(
        is_topic,
        "must be one topic without + and #, and none of the nodes' (groundwatch/v1/)",
        "groundwatch/alarms",
    ),
]
MailAddress = Annotated[
    str, form(is_mail_address, "must be an address such as duty@example.net", "duty@example.net")
]


class WebAddress(InlineSecret):
    """An address of http or https, which may hold a secret: no representation shows it."""

    __slots__ = ()
    wants = "must be a web address"
    example = "https://example.net/hook"

    @classmethod
    def fits(cls, written: str) -> bool:
        """With a host, and a port that can be."""
        if not written.isascii() or not written.isprintable() or " " in written:
            return False
        try:
            parts = urlsplit(written)
            if parts.scheme not in ("http", "https") or parts.netloc.endswith(":"):
                return False
            return is_host(parts.hostname or "") and parts.port != 0
        except ValueError:
            return False


class PemFile:
    """Certificates in a file. `digest` is of the content, so that a renewed one is a change.

    No dataclass: msgspec would read that as a table.
    """

    __slots__ = ("digest", "path")
    wants: ClassVar[str] = "must name a file"
    example: ClassVar[str] = "ca.pem"

    def __init__(self, path: Path, digest: str) -> None:
        self.path, self.digest = path, digest

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PemFile):
            return NotImplemented
        return (self.path, self.digest) == (other.path, other.digest)

    def __hash__(self) -> int:
        return hash((self.path, self.digest))

    @classmethod
    def read(cls, written: str, folder: Path) -> Self:
        """From a path relative to `folder`. Raises ConfigError."""
        path = folder / written
        try:
            raw = cls._content(path)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        return cls(path, hashlib.sha256(raw).hexdigest())

    @classmethod
    def _content(cls, path: Path) -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_PEM_BYTES)


class PrivatePemFile(PemFile):
    """A private key: of mode 0600."""

    __slots__ = ()
    example: ClassVar[str] = "client-key.pem"

    @classmethod
    def _content(cls, path: Path) -> bytes:
        return read_private(path, MAX_PEM_BYTES)


CaFile = Annotated[
    PemFile | None,
    Meta(description="Authorities in PEM; without it, those that the system trusts."),
]
CertFile = Annotated[
    PemFile | None, Meta(description="Our certificate in PEM, for the other side.")
]
CertKeyFile = Annotated[PrivatePemFile | None, Meta(description="Its private key, mode 0600.")]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a TLS context is made from; equal when the content of the files is."""

    ca: Path | None = None
    cert: Path | None = None
    cert_key: Path | None = None
    digest: str = ""


def tls_files(
    ca_file: PemFile | None,
    cert_file: PemFile | None = None,
    cert_key_file: PrivatePemFile | None = None,
) -> TlsFiles:
    """Of a table's three keys; for `__post_init__`, too. Raises ValueError that starts with one."""
    if (cert_file is None) != (cert_key_file is None):
        raise ValueError('cert_file and cert_key_file go together, e.g. cert_file = "client.pem"')
    given = (ca_file, cert_file, cert_key_file)
    digest = hashlib.sha256("|".join(one.digest if one else "" for one in given).encode())
    ca, cert, cert_key = (one.path if one else None for one in given)
    return TlsFiles(ca, cert, cert_key, digest.hexdigest())


def check_broker_tls(
    tls: str,
    ca_file: PemFile | None,
    cert_file: PemFile | None,
    cert_key_file: PrivatePemFile | None,
) -> None:
    """For `__post_init__` of a table with a broker. Raises ValueError that starts with a key."""
    tls_files(ca_file, cert_file, cert_key_file)
    if tls == "none" and (ca_file is not None or cert_file is not None):
        raise ValueError('ca_file and cert_file need TLS, e.g. tls = "tls"')


def load_public_key(path: Path) -> bytes:
    """The 32 bytes of a release public key, from a file of 64 hex digits. Raises ConfigError."""
    try:
        text = (
            path.read_bytes()[:200].removeprefix(codecs.BOM_UTF8).decode("ascii", "replace").strip()
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file has such a name"
        raise ConfigError(f"cannot read the release key {path}: {reason}") from None
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ConfigError(
            f"{path} must hold the 64 hex digits that `groundwatch release key` wrote"
        )
    return bytes.fromhex(text)
