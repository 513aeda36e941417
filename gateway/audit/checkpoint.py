# SPDX-License-Identifier: MIT
"""Accountability: a checkpoint is the chain's value at one entry, signed with Ed25519 (RFC 8032).

With the store but without the key the chain cannot be computed again. No I/O.
"""

from __future__ import annotations

from hashlib import sha256

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

KEY_ID_BYTES = 8
EXPORT_PREFIX = b"groundwatch/v1 export\n"  # before the bytes of a file that are signed


def key_id(key: Ed25519PublicKey) -> bytes:
    """The first bytes of the SHA-256 of the raw public key: it identifies the key."""
    return sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def signed_bytes(number: int, link: bytes, at_us: int) -> bytes:
    """What the signature covers, as deterministic CBOR."""
    return cbor2.dumps(["groundwatch/v1 checkpoint", number, link, at_us], canonical=True)


class Signer:
    """Signs in the name of one gateway."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key()
        self.key_id = key_id(self.public)

    def sign(self, data: bytes) -> bytes:
        """64 bytes; the same for the same data."""
        return self._key.sign(data)


def is_signed(key: Ed25519PublicKey, data: bytes, signature: bytes) -> bool:
    """Whether the holder of the key signed these bytes."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
