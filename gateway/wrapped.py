# SPDX-License-Identifier: MIT
"""Secrets at rest, wrapped by a passphrase: Argon2id makes the key, AES-256-GCM wraps.

The file is one JSON object of hex texts; its parameters are those of RFC 9106's second choice
(64 MiB, 3 passes), and a file that asks for more than four times as much is refused.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigError
from gateway.files import create_private

MIN_PASSPHRASE = 12
_FORMAT = "groundwatch wrapped secret 1"
_COSTS = {"memory_kib": 65_536, "passes": 3, "lanes": 4}
_BYTES = {"salt": 16, "nonce": 12, "wrapped": 0}  # 0: as long as it is
_MAX_FILE = 4096


def create(path: Path, what: str, secret: bytes, passphrase: str) -> None:
    """Write `secret` where no file is, readable by its owner only. Raises ConfigError."""
    text = wrap(what, secret, passphrase)
    try:
        create_private(path, text + "\n")
    except FileExistsError:
        raise ConfigError(f"{path} exists already and is not overwritten") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def wrap(what: str, secret: bytes, passphrase: str) -> str:
    """The content of such a file. Raises ConfigError when the passphrase is too short.

    `what` names the secret; opening asks for the same name, so one secret never passes for another.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise ConfigError(f"the passphrase must have at least {MIN_PASSPHRASE} characters")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    wrapped = AESGCM(_key(passphrase, salt, **_COSTS)).encrypt(nonce, secret, _bound(what))
    table = {
        "format": _FORMAT,
        "what": what,
        **_COSTS,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "wrapped": wrapped.hex(),
    }
    return json.dumps(table, indent=1)


def open_secret(path: Path, what: str, passphrase: str) -> bytes:
    """The secret in a file that `create` wrote. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        table = _parsed(data, what)
        key = _key(passphrase, table["salt"], *(table[name] for name in _COSTS))
        return AESGCM(key).decrypt(table["nonce"], table["wrapped"], _bound(what))
    except ValueError:
        raise ConfigError(f"{path} is no wrapped {what}") from None
    except InvalidTag:
        raise ConfigError(f"the passphrase does not open {path}") from None


def _parsed(data: bytes, what: str) -> dict[str, Any]:
    if len(data) > _MAX_FILE:
        raise ValueError("too long")
    table: Any = json.loads(data)
    names = {"format", "what", *_COSTS, *_BYTES}
    if not isinstance(table, dict) or set(table) != names:
        raise ValueError("not a table of the known names")
    if (table["format"], table["what"]) != (_FORMAT, what):
        raise ValueError("of another kind")
    for name, usual in _COSTS.items():
        if type(table[name]) is not int or not 1 <= table[name] <= 4 * usual:
            raise ValueError("costs out of bounds")
    for name, size in _BYTES.items():
        if not isinstance(table[name], str):
            raise ValueError("no text")
        table[name] = bytes.fromhex(table[name])
        if size and len(table[name]) != size:
            raise ValueError("of another length")
    return table


def _key(passphrase: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, passes, memory_kib, lanes, 32, Type.ID)


def _bound(what: str) -> bytes:
    return f"{_FORMAT}/{what}".encode()
