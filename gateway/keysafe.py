# SPDX-License-Identifier: MIT
"""Key safe: where the fleet root rests: wrapped by a passphrase, in the OS keyring, or plain.

The file named by `fleet_key` determines which: 64 hex digits (plain, mode 0600), what
gateway/wrapped.py wrote, or the name of an entry in the keyring.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError
from gateway.files import read_private, write_atomic
from gateway.keys import ROOT_BYTES, load_fleet_root
from gateway.terminal import ask_secret
from gateway.wrapped import open_secret, wrap

PASSPHRASE_FILE = "GROUNDWATCH_PASSPHRASE_FILE"
_KEYRING = "groundwatch fleet root in the keyring 1"
_WHAT = "fleet root"
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
            return read_private(Path(named), 4096).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the passphrase in {named}: {error}") from None
    if not sys.stdin.isatty():
        raise ConfigError(
            f"the fleet key is wrapped by a passphrase: run this in a terminal, or name a file of "
            f"mode 0600 that holds it in ${PASSPHRASE_FILE}"
        )
    return ask_secret(prompt)


def ask_new_passphrase(prompt: str) -> str:
    """The same for one that is being chosen: typed twice, or a typo would lose the key. Raises
    ConfigError."""
    given = ask_passphrase(prompt)
    if not os.environ.get(PASSPHRASE_FILE) and ask_secret("the same again: ") != given:
        raise ConfigError("the two passphrases differ; the fleet key is as before")
    return given


def rest_of(path: Path) -> Rest:
    """How the root in this file rests. Raises ConfigError."""
    fields = _read(path)
    if fields is None:
        return Rest.PLAIN
    return Rest.KEYRING if fields.get("format") == _KEYRING else Rest.PASSPHRASE


def open_root(path: Path, ask: Ask = ask_passphrase) -> bytes:
    """The 32-byte fleet root. Raises ConfigError."""
    match rest_of(path):
        case Rest.PLAIN:
            return load_fleet_root(path)
        case Rest.KEYRING:
            return _from_keyring(path, str((_read(path) or {}).get("entry")))
        case Rest.PASSPHRASE:
            root = open_secret(path, _WHAT, ask(f"passphrase of {path}: "))
            if len(root) != ROOT_BYTES:
                raise ConfigError(f"{path} holds no fleet root")
            return root


def write_root(path: Path, root: bytes, rest: Rest, ask: Ask = ask_new_passphrase) -> None:
    """Lay the root down, in place of what is there; the file is whole at any moment.

    Raises ConfigError.
    """
    match rest:
        case Rest.PLAIN:
            text = root.hex()
        case Rest.KEYRING:
            text = json.dumps({"format": _KEYRING, "entry": _to_keyring(path, root)})
        case Rest.PASSPHRASE:
            text = wrap(_WHAT, root, ask(f"new passphrase of {path}: "))
    try:
        write_atomic(path, text + "\n")
    except OSError as error:
        raise ConfigError(f"cannot write the fleet key {path}: {error.strerror}") from None


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
        return dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise ConfigError(f"{path} is no fleet key that this version can read") from None


def _to_keyring(path: Path, root: bytes) -> str:
    import keyring  # takes 0.2 s and looks for a desktop's bus: only where it is used
    import keyring.errors

    entry = f"fleet root {secrets.token_hex(8)}"
    try:
        keyring.set_password(_SERVICE, entry, root.hex())
        kept = keyring.get_password(_SERVICE, entry)
    except keyring.errors.KeyringError as error:
        raise _no_keyring(path, error) from None
    if kept != root.hex():
        raise ConfigError(f"the keyring does not return the stored key; {path} is unchanged")
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
