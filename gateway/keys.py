# SPDX-License-Identifier: MIT
"""keys: the fleet root in its file, and the keys of every node derived from it (docs/wire.md)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import ConfigError
from gateway.files import create_private, read_private

ROOT_BYTES = 32
_LABEL = b"groundwatch/v1 "


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """What one node and the gateway share in one epoch. Secrets stay out of `repr`."""

    key: bytes = field(repr=False)  # 32 bytes: what the others are derived from
    epoch: int
    up_key: bytes = field(repr=False)  # 16 bytes
    up_iv: bytes = field(repr=False)  # 13 bytes
    down_key: bytes = field(repr=False)
    down_iv: bytes = field(repr=False)
    mqtt_password: str = field(repr=False)  # 32 hex digits


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys one node may send under, the proven generation first; none when it is revoked.

    `barred` are those of a revoked node: they identify its messages.
    """

    accepted: tuple[NodeKeys, ...]
    barred: tuple[NodeKeys, ...] = ()

    @property
    def mqtt_passwords(self) -> tuple[str, ...]:
        """Passwords the broker lets the node in with, the one given out last first."""
        return tuple(keys.mqtt_password for keys in reversed(self.accepted))


def node_key(fleet_root: bytes, site: str, node: str, generation: int = 1) -> bytes:
    """The 32-byte key given to a node; a new generation is a new key for the same node."""
    info = f"groundwatch/v1/{site}/{node}/{generation}".encode()
    # RFC 5869 2.2: no salt is a salt of HashLen zeros; an empty one gives the same HMAC key.
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(fleet_root)


def derive(key: bytes) -> NodeKeys:
    """The keys in use, from a node key of epoch 0, as flashed."""
    return _derived(key, 0, _expand(key, b"mqtt password", 16).hex())


def next_epoch(keys: NodeKeys) -> NodeKeys:
    """The keys of the epoch after, from which these cannot be found."""
    return _derived(_next_key(keys.key, keys.epoch), keys.epoch + 1, keys.mqtt_password)


def at_epoch(keys: NodeKeys, epoch: int) -> NodeKeys:
    """The keys of a later epoch."""
    key = keys.key
    for past in range(keys.epoch, epoch):
        key = _next_key(key, past)
    return _derived(key, epoch, keys.mqtt_password)


def up_keys_after(keys: NodeKeys) -> Iterator[tuple[int, bytes, bytes]]:
    """(epoch, key, IV) of uplinks in each epoch after these, without the rest of its keys."""
    key, epoch = keys.key, keys.epoch
    while True:
        key, epoch = _next_key(key, epoch), epoch + 1
        yield epoch, _expand(key, b"up key", 16), _expand(key, b"up iv", 13)


def _next_key(key: bytes, epoch: int) -> bytes:
    return _expand(key, b"epoch %d" % (epoch + 1), 32)


def _derived(key: bytes, epoch: int, mqtt_password: str) -> NodeKeys:
    return NodeKeys(
        key=key,
        epoch=epoch,
        up_key=_expand(key, b"up key", 16),
        up_iv=_expand(key, b"up iv", 13),
        down_key=_expand(key, b"down key", 16),
        down_iv=_expand(key, b"down iv", 13),
        mqtt_password=mqtt_password,
    )


def check_value(key: bytes) -> str:
    """8 hex digits that identify a node key and reveal nothing else about it."""
    return _expand(key, b"check", 4).hex()


def challenge_key(key: bytes) -> bytes:
    """The 32-byte key with which a board proves that it holds the node key."""
    return _expand(key, b"challenge", 32)


def enrolment_key(fleet_root: bytes) -> bytes:
    """The 32-byte key of the MACs of the enrolment log."""
    return _expand(fleet_root, b"enrolment", 32)


def create_fleet_root(path: Path) -> bytes:
    """A new fleet root, written where none is. Raises ConfigError."""
    root = secrets.token_bytes(ROOT_BYTES)
    try:
        create_private(path, root.hex() + "\n")
    except FileExistsError:
        raise ConfigError(f"{path} holds a fleet key already; nodes in use depend on it") from None
    except OSError as error:
        raise ConfigError(f"cannot write the fleet key {path}: {error.strerror}") from None
    return root


def load_fleet_root(path: Path) -> bytes:
    """The fleet root in a file of 64 hex digits, mode 0600. Raises ConfigError."""
    try:
        text = read_private(path, 2 * ROOT_BYTES + 3)
    except OSError as error:
        raise ConfigError(f"cannot read the fleet key {path}: {error.strerror}") from None
    try:
        root = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise ConfigError(f"the fleet key {path} must hold {2 * ROOT_BYTES} hex digits on one line")
    return root


def _expand(key: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand of one block (RFC 5869 2.3), which is one HMAC; `length` is at most 32."""
    return hmac.digest(key, _LABEL + label + b"\1", "sha256")[:length]
