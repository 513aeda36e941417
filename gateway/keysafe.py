# SPDX-License-Identifier: MIT
"""Key safe: where the fleet root rests: wrapped by a passphrase, in the OS keyring, or plain.

The file named by `fleet_key` says which: 64 hex digits (plain, mode 0600), or one JSON object. A
passphrase is stretched by Argon2id (RFC 9106) and the root sealed under it with AES-256-GCM.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigError
from gateway.keys import ROOT_BYTES, load_fleet_root

PASSPHRASE_FILE = "GROUNDWATCH_PASSPHRASE_FILE"
PASSPHRASE_LEAST = 12  # characters
# RFC 9106 section 4, second recommended option: 3 passes over 64 MiB on 4 lanes.
_COST = {"passes": 3, "memory_kib": 65_536, "lanes": 4}
# A file from elsewhere must not take all memory or time of this machine.
_COST_MOST = {"passes": 10, "memory_kib": 1 << 20, "lanes": 16}
_FORMAT = "groundwatch fleet root 1"
_SERVICE = "groundwatch"

Ask = Callable[[str], str]


class Rest(Enum):
    """Where a fleet root rests."""

    PLAIN = "plain"
    PASSPHRASE = "passphrase"
    KEYRING = "keyring"


def ask_passphrase(prompt: str) -> str:
    """From the file named by $GROUNDWATCH_PASSPHRASE_FILE, else typed. Raises ConfigError.

    A file, not a variable or an option: those two can be read in the list of processes.
    """
    named = os.environ.get(PASSPHRASE_FILE)
    if named:
        try:
            mode = stat.S_IMODE(Path(named).stat().st_mode)
            if mode & 0o077:
                raise ConfigError(f"others may read {named}: chmod 600 {named}")
            return Path(named).read_bytes()[:4096].decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the passphrase in {named}: {error}") from None
    if not sys.stdin.isatty():
        raise ConfigError(
            f"the fleet key is wrapped by a passphrase: run this in a terminal, or name a file of "
            f"mode 0600 that holds it in ${PASSPHRASE_FILE}"
        )
    return getpass.getpass(prompt)


def rest_of(path: Path) -> Rest:
    """How the root in this file rests. Raises ConfigError."""
    fields = _read(path)
    return Rest.PLAIN if fields is None else Rest(fields["rest"])


def open_root(path: Path, ask: Ask = ask_passphrase) -> bytes:
    """The 32-byte fleet root. Raises ConfigError."""
    fields = _read(path)
    if fields is None:
        return load_fleet_root(path)
    if fields["rest"] == Rest.KEYRING.value:
        return _from_keyring(path, fields["entry"])
    salt, nonce, sealed = (bytes.fromhex(fields[name]) for name in ("salt", "nonce", "sealed"))
    key = _stretch(ask(f"passphrase of {path}: "), salt, {name: fields[name] for name in _COST})
    try:
        return AESGCM(key).decrypt(nonce, sealed, _FORMAT.encode())
    except InvalidTag:
        raise ConfigError(f"{path}: the passphrase is wrong, or the file was altered") from None


def write_root(path: Path, root: bytes, rest: Rest, ask: Ask = ask_passphrase) -> None:
    """Lay the root down, in place of what is there; the file is whole at any moment.

    Raises ConfigError.
    """
    if rest is Rest.PLAIN:
        text = root.hex()
    elif rest is Rest.KEYRING:
        text = _dumps({"rest": rest.value, "entry": _to_keyring(path, root)})
    else:
        passphrase = ask(f"new passphrase of {path}: ")
        if len(passphrase) < PASSPHRASE_LEAST:
            raise ConfigError(f"a passphrase needs {PASSPHRASE_LEAST} characters; take five words")
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        sealed = AESGCM(_stretch(passphrase, salt, _COST)).encrypt(nonce, root, _FORMAT.encode())
        parts = {"salt": salt.hex(), "nonce": nonce.hex(), "sealed": sealed.hex()}
        text = _dumps({"rest": rest.value, **_COST, **parts})
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write the fleet key {path}: {error.strerror}") from None


def _dumps(fields: dict[str, Any]) -> str:
    return json.dumps({"format": _FORMAT, **fields})


def _read(path: Path) -> dict[str, Any] | None:
    """The fields of a file that is no plain one."""
    try:
        with path.open("rb") as file:
            text = file.read(4096)
    except OSError as error:
        raise ConfigError(f"cannot read the fleet key {path}: {error.strerror}") from None
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        fields = json.loads(text)
        if fields["format"] == _FORMAT and _is_good(fields):
            return dict(fields)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ConfigError(f"{path} is no fleet key that this version can read; restore it")


def _is_good(fields: dict[str, Any]) -> bool:
    if fields["rest"] == Rest.KEYRING.value:
        return isinstance(fields["entry"], str)
    costs = all(
        type(fields[name]) is int and 1 <= fields[name] <= most for name, most in _COST_MOST.items()
    )
    sizes = {"salt": 16, "nonce": 12, "sealed": ROOT_BYTES + 16}
    lengths = all(len(bytes.fromhex(fields[name])) == size for name, size in sizes.items())
    return fields["rest"] == Rest.PASSPHRASE.value and costs and lengths


def _stretch(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=cost["passes"],
        memory_cost=max(cost["memory_kib"], 8 * cost["lanes"]),
        parallelism=cost["lanes"],
        hash_len=32,
        type=Type.ID,
    )


def _to_keyring(path: Path, root: bytes) -> str:
    import keyring  # takes 0.2 s and looks for a desktop's bus: only who rests a key there waits
    import keyring.errors

    entry = f"fleet root {secrets.token_hex(8)}"
    try:
        keyring.set_password(_SERVICE, entry, root.hex())
        kept = keyring.get_password(_SERVICE, entry)
    except keyring.errors.KeyringError as error:
        raise _no_keyring(path, error) from None
    if kept != root.hex():
        raise ConfigError(f"the keyring does not give back what it was given; {path} is unchanged")
    return entry


def _from_keyring(path: Path, entry: str) -> bytes:
    import keyring
    import keyring.errors

    try:
        text = keyring.get_password(_SERVICE, entry)
    except keyring.errors.KeyringError as error:
        raise _no_keyring(path, error) from None
    try:
        root = bytes.fromhex(text or "")
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise ConfigError(f"the keyring holds no fleet root under {entry!r}, which {path} names")
    return root


def _no_keyring(path: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"{path}: the keyring of this system cannot be used ({type(error).__name__}); unlock it, "
        "or let the key rest under a passphrase"
    )
