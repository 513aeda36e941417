# SPDX-License-Identifier: MIT
"""API access: tokens of other systems, kept as SHA-256 in tokens.toml.

A token is 256 random bits: a fast hash is enough, since there is nothing to guess (NIST SP 800-63B
5.1.2.2 asks for slow hashing of secrets with less than 112 bits).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.config.fields import form
from gateway.config.reading import from_toml
from gateway.errors import ConfigError, GroundwatchError
from gateway.files import read_private, write_atomic
from gateway.model.actions.identity import Identity, Scope

MAX_TOKENS = 1000
MAX_FAILURES = 30  # wrong tokens in the window; then they are refused without a record each
FAILURE_WINDOW_S = 300.0
MAX_FILE_BYTES = 1 << 20
PREFIX = "gwt_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")

# (name, action, reason): into the audit, without waiting for it.
Record = Callable[[str, str, str], None]


def _is_name(written: str) -> bool:
    return _NAME.fullmatch(written) is not None


_Name = Annotated[str, form(_is_name, "must be 1 to 32 letters, digits or . _ -", "tak_server")]


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of tokens.toml. `until_us` is UTC microseconds."""

    name: _Name
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=3)]
    sha256: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[0-9a-f]{64}(?!\n)$", extra={"wants": "must be 64 hexadecimal digits"}
        ),
    ]
    until_us: Annotated[int, msgspec.Meta(ge=0)]

    @property
    def scope(self) -> Scope:
        """The widest of its scopes."""
        return max(self.scopes, key=lambda scope: scope.rank)


class TokensFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """tokens.toml."""

    token: Annotated[tuple[Token, ...], msgspec.Meta(max_length=MAX_TOKENS)] = ()


class TooManyFailures(GroundwatchError):
    """Wrong tokens come too often."""


class Tokens:
    """The file as it is now: read again whenever it has changed, so a removed token ends at once.

    `clock_us` is UTC microseconds, `clock_s` a clock that only goes forward.
    """

    def __init__(
        self,
        path: Path,
        record: Record,
        clock_us: Callable[[], int],
        clock_s: Callable[[], float],
    ) -> None:
        self.failed = 0
        self._path = path
        self._record = record
        self._clock_us = clock_us
        self._clock_s = clock_s
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Token] = {}
        self._failures: deque[float] = deque(maxlen=MAX_FAILURES)

    def identity(self, secret: str) -> Identity | None:
        """Whose token it is; None for a wrong or expired one. Raises TooManyFailures.

        A right token is never refused for the failures of others.
        """
        digest = hashlib.sha256(secret.encode(errors="replace")).hexdigest()
        found = None
        for token in self._current().values():  # all of them: equal time for every name
            if hmac.compare_digest(token.sha256, digest):
                found = token
        if found is not None and self._clock_us() < found.until_us:
            return Identity(f"token {found.name}", found.scope)
        self._fail("expired" if found is not None else "unknown token")
        return None

    def _fail(self, why: str) -> None:
        self.failed += 1
        now_s = self._clock_s()
        while self._failures and self._failures[0] <= now_s - FAILURE_WINDOW_S:
            self._failures.popleft()
        if len(self._failures) >= MAX_FAILURES:
            raise TooManyFailures("too many wrong tokens: wait a few minutes")
        self._failures.append(now_s)
        self._record("unknown", "token.refused", why)

    def _current(self) -> dict[str, Token]:
        try:
            status = self._path.stat()
        except OSError:
            self._seen, self._known = None, {}
            return self._known
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            try:
                self._known = load_tokens(self._path)
            except ConfigError:
                self._known = {}  # a broken file lets no token in
            self._seen = seen
        return self._known


def load_tokens(path: Path) -> dict[str, Token]:
    """Tokens by name; none when there is no file. Raises ConfigError."""
    try:
        written = read_private(path, MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(written) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    known: dict[str, Token] = {}
    for index, token in enumerate(from_toml(written, TokensFile, path).token):
        if token.name in known:
            raise ConfigError(f"{path}: token[{index}].name {token.name!r} is used twice")
        known[token.name] = token
    return known


def save_tokens(path: Path, tokens: dict[str, Token]) -> None:
    """Replace the file in one step, readable by its owner only. Raises ConfigError."""
    lines = ["# Written by `groundwatch token`; only hashes of the tokens are kept.", ""]
    for token in tokens.values():
        scopes = ", ".join(f'"{scope.value}"' for scope in token.scopes)
        lines += [
            "[[token]]",
            f'name = "{token.name}"',
            f"scopes = [{scopes}]",
            f'sha256 = "{token.sha256}"',
            f"until_us = {token.until_us}",
            "",
        ]
    try:
        write_atomic(path, "\n".join(lines).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def new_token(name: str, scope: Scope, until_us: int) -> tuple[Token, str]:
    """(what is kept, the secret to show once). Raises ConfigError."""
    if not _is_name(name):
        raise ConfigError("a token's name is 1 to 32 letters, digits or . _ -, e.g. tak_server")
    secret = PREFIX + secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return Token(name=name, scopes=(scope,), sha256=digest, until_us=until_us), secret
