# SPDX-License-Identifier: MIT
"""Accountability: the signing key in its file, mode 0600, and its public half for everyone else."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.errors import ConfigError
from gateway.files import private_folder, read_private, write_atomic

PRIVATE_NAME, PUBLIC_NAME = "audit.key", "audit.pub"
_MAX_FILE = 4096


def load_or_create(folder: Path) -> Ed25519PrivateKey:
    """The key in `folder`/audit.key, made when there is none; audit.pub is written beside it.

    Raises ConfigError.
    """
    path = folder / PRIVATE_NAME
    try:
        private_folder(folder)
        if not path.exists():
            _create(path)
        key = _load(path)
        public = folder / PUBLIC_NAME
        pem = public_pem(key.public_key())
        if not public.exists() or public.read_bytes() != pem:
            write_atomic(public, pem, 0o644)
    except OSError as error:
        raise ConfigError(f"audit key {path}: {error.strerror}") from None
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """As OpenSSL reads it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_public(path: Path) -> Ed25519PublicKey:
    """A public key in PEM. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            key = load_pem_public_key(file.read(_MAX_FILE))
    except OSError as error:
        raise ConfigError(f"cannot read the public key {path}: {error.strerror}") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path} holds no Ed25519 public key; give the gateway's audit.pub")
    return key


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    # Whole or not at all: half a key would keep the gateway from starting.
    write_atomic(path, pem)


def _load(path: Path) -> Ed25519PrivateKey:
    pem = read_private(path, _MAX_FILE)
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"{path} holds no Ed25519 key; put the right one back, or move it away for a new one"
        )
    return key
