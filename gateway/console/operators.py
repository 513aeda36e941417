# SPDX-License-Identifier: MIT
"""Console: operators: names, roles and Argon2id hashes in operators.toml."""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from msgspec import Meta, Struct

from gateway.config.fields import Text, form
from gateway.config.reading import read_toml
from gateway.errors import ConfigError
from gateway.files import write_atomic

MAX_NAME = 32
_NAME = re.compile(r"\w[\w. -]{0,31}")
_RESERVED = frozenset({"system", "gateway"})
# NIST SP 800-63B: length is what counts; no rules about kinds of characters.
MIN_PASSPHRASE, MAX_PASSPHRASE = 8, 256
MAX_OPERATORS = 1000

# RFC 9106, second recommended choice: 64 MiB, 3 passes; about 50 ms on a laptop.
_HASHER = PasswordHasher()


class Role(Enum):
    """A supervisor also sees the measured performance and places nodes."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Operator:
    """One person; every record of their actions has the name."""

    name: str
    role: Role
    hash: str = ""


# As `groundwatch operator` writes it.
PassphraseHash = Annotated[
    str,
    form(
        lambda written: written.startswith("$argon2id$"),
        "is not of Argon2id; run `groundwatch operator add`",
        "$argon2id$...",
    ),
]


class OperatorTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[operator]]."""

    name: Annotated[Text, Meta(examples=["eva"])]
    role: Role = Role.OPERATOR
    hash: PassphraseHash


class OperatorsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """operators.toml."""

    operator: Annotated[tuple[OperatorTable, ...], Meta(max_length=MAX_OPERATORS)] = ()


def plain_name(written: str) -> str:
    """The name in the one form it is compared in. Raises ConfigError."""
    name = unicodedata.normalize("NFC", written)
    if not _NAME.fullmatch(name) or name != name.strip() or name.lower() in _RESERVED:
        raise ConfigError(
            f"an operator's name is 1 to {MAX_NAME} letters, digits, spaces or . _ -, "
            'for example "Eva M."'
        )
    return name


def new_operator(name: str, role: Role, passphrase: str) -> Operator:
    """An operator with the pass phrase hashed. Raises ConfigError."""
    if not MIN_PASSPHRASE <= len(_normal(passphrase)) <= MAX_PASSPHRASE:
        raise ConfigError(
            f"a pass phrase has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} characters; "
            "four words are easy to remember"
        )
    return Operator(plain_name(name), role, _HASHER.hash(_normal(passphrase)))


class OperatorFile:
    """The file as it is now: read again whenever it was changed, without a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Operator] = {}
        self._unknown_hash = _unknown_hash()

    def known(self) -> dict[str, Operator]:
        """Operators by name; none when there is no file. Raises ConfigError when it is wrong."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._seen, self._known = None, {}
            return self._known
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror}") from None
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._known = load_operators(self.path)
            self._seen = seen
        return self._known

    def verify(self, name: str, passphrase: str) -> Operator | None:
        """The operator, when the pass phrase is right; takes as long when it is not."""
        operator = self.known().get(unicodedata.normalize("NFC", name))
        try:
            _HASHER.verify(operator.hash if operator else self._unknown_hash, _normal(passphrase))
        except (VerificationError, InvalidHashError):
            return None
        return operator


def load_operators(path: Path) -> dict[str, Operator]:
    """Read the file strictly. Raises ConfigError."""
    known: dict[str, Operator] = {}
    for index, table in enumerate(read_toml(path, OperatorsFile).operator):
        key = f"{path}: operator[{index}].name"
        try:
            name = plain_name(table.name)
        except ConfigError as error:
            raise ConfigError(f"{key}: {error}") from None
        if name in known:
            raise ConfigError(f'{key} {name!r} is used twice, e.g. name = "eva"')
        known[name] = Operator(name, table.role, table.hash)
    return known


def operators_text(operators: dict[str, Operator]) -> str:
    """The content of operators.toml."""
    lines = ["# Written by `groundwatch operator`; the pass phrases are hashed with Argon2id.", ""]
    for operator in operators.values():
        lines += [
            "[[operator]]",
            f'name = "{operator.name}"',
            f'role = "{operator.role.value}"',
            f'hash = "{operator.hash}"',
            "",
        ]
    return "\n".join(lines)


def save_operators(path: Path, operators: dict[str, Operator]) -> None:
    """Replace the file in one step, readable by its owner only. Raises ConfigError."""
    try:
        write_atomic(path, operators_text(operators))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def _unknown_hash() -> str:
    """The hash for unknown names: a check of them must take as long as of known ones. It is of no
    pass phrase, so that a start does not wait for one."""
    salt, digest = (
        base64.b64encode(os.urandom(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _normal(passphrase: str) -> str:
    # Keyboards differ in how they compose letters (NIST SP 800-63B 5.1.1.2).
    return unicodedata.normalize("NFKC", passphrase).strip()
