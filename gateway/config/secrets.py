# SPDX-License-Identifier: MIT
"""Configuration: secrets, which come from a file of mode 0600 or from the environment.

A field `token: Secret` of a Struct is written as `token_file` or `token_env`, never as `token`. An
`InlineSecret` may also stand in the file itself: an address, for example, need not be secret.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeGuard
from urllib.parse import quote

from msgspec import inspect

from gateway.config.words import core_type, quoted
from gateway.errors import ConfigError
from gateway.files import read_private

MAX_SECRET_BYTES = 4096
_MIN_HIDDEN = 4  # a shorter one would hide parts of words
_KNOWN_MAX = 1000
# Forms of secrets that never come from a configuration: keys, tokens, what an address has before @.
_FORMS = re.compile(
    r"\b[0-9a-fA-F]{64,}\b|\bgwt_[\w-]{8,}|(?<=://)[^/\s@]*:[^/\s@]*(?=@)"
    r"|(?i:(?<=\bbearer )|(?<=\bbasic ))[\w+/=.~-]{8,}"
)
_HIDDEN = "<secret>"

# Those that this process has read, in the order of reading: none is shown in the log.
_known: dict[str, None] = {}


class Secret(str):
    """Text that no representation shows; it never stands in the file itself."""

    __slots__ = ()
    inline: ClassVar[bool] = False
    wants: ClassVar[str] = "must be one line of text"
    example: ClassVar[str] = "correct horse battery"

    def __repr__(self) -> str:
        return "<secret>"

    @classmethod
    def read(cls, written: str, _folder: Path) -> Self:
        """The value, checked. Raises ValueError."""
        if not 0 < len(written) <= MAX_SECRET_BYTES or not cls.fits(written):
            raise ValueError(cls.wants)
        _known.pop(written, None)
        _known[written] = None
        while len(_known) > _KNOWN_MAX:
            del _known[next(iter(_known))]
        return cls(written)

    @classmethod
    def fits(cls, written: str) -> bool:
        """Whether the text has the right form; a subclass with a form of its own overrides it."""
        return written.isprintable()


class InlineSecret(Secret):
    """One that may stand in the file itself."""

    __slots__ = ()
    inline: ClassVar[bool] = True


def without_secrets(text: str) -> str:
    """The text with every secret that was read replaced, in the forms of an address as well."""
    for one in sorted(_known, key=len, reverse=True):
        if len(one) >= _MIN_HIDDEN:
            for form in {one, quote(one, safe=""), quote(one), repr(one)[1:-1]}:
                text = text.replace(form, _HIDDEN)
    return _FORMS.sub(_HIDDEN, text)


def resolve_secrets(
    raw: Mapping[str, Any], info: inspect.Type, folder: Path, at: str = ""
) -> dict[str, Any]:
    """The table with each `x_file` and `x_env` replaced by the secret it names, tables in it too.

    `info` is msgspec's description of the Struct. Raises ConfigError for an unusable file, else
    ValueError whose text starts with the key.
    """
    given = dict(raw)
    core = core_type(info)
    if not isinstance(core, inspect.StructType):
        return given
    for field in core.fields:
        name, inner = field.encode_name, core_type(field.type)
        if isinstance(inner, inspect.CustomType) and issubclass(inner.cls, Secret):
            _resolve(given, name, inner.cls, folder, at)
        elif isinstance(inner, inspect.StructType) and isinstance(given.get(name), Mapping):
            given[name] = resolve_secrets(given[name], inner, folder, f"{at}{name}.")
        elif isinstance(inner, inspect.ListType | inspect.VarTupleType):
            tables = given.get(name)
            if isinstance(core_type(inner.item_type), inspect.StructType) and isinstance(
                tables, list
            ):
                given[name] = [
                    resolve_secrets(table, inner.item_type, folder, f"{at}{name}[{index}].")
                    if isinstance(table, Mapping)
                    else table
                    for index, table in enumerate(tables)
                ]
    return given


def _resolve(given: dict[str, Any], name: str, kind: type[Secret], folder: Path, at: str) -> None:
    file, variable = f"{name}_file", f"{name}_env"
    keys = [key for key in ((name,) if kind.inline else ()) + (file, variable) if key in given]
    if not kind.inline and name in given:
        # Its value is shown nowhere: neither here nor by msgspec.
        raise ValueError(f"{at}{name} is not a known key; remove it or correct it, e.g. {file}")
    if len(keys) > 1:
        raise ValueError(f'{at}{keys[0]} and {keys[1]} exclude each other, e.g. {file} = "x.key"')
    if file in given:
        value, key = _of_file(given.pop(file), f"{at}{file}", folder), file
    elif variable in given:
        named = given.pop(variable)
        value = os.environ.get(named, "") if _is_variable(named) else ""
        if not value:
            problem = f"{at}{variable} names {quoted(named)}, which is not set"
            raise ValueError(f'{problem}, e.g. {file} = "{name}.key"')
        key = variable
    else:
        return
    try:
        given[name] = kind.read(value, folder)
    except ValueError as error:  # without the value: messages end up in logs
        raise ValueError(f'{at}{key} {error}, e.g. {file} = "{name}.key"') from None


def _is_variable(named: object) -> TypeGuard[str]:
    # os.environ refuses a null character and a lone surrogate with other errors.
    return isinstance(named, str) and named.isascii() and named.isprintable()


def _of_file(named: object, key: str, folder: Path) -> str:
    if not isinstance(named, str) or not named:
        raise ValueError(f'{key} must name a file, e.g. {key.rpartition(".")[2]} = "x.key"')
    path = folder / named
    try:
        raw = read_private(path, MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        reason = getattr(error, "strerror", None) or "no file has such a name"
        raise ConfigError(f"{ascii(str(path))[1:-1]}: cannot be read: {reason}") from None
    try:
        value = raw.removeprefix(codecs.BOM_UTF8).decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or len(raw) > MAX_SECRET_BYTES or not value.isprintable():
        raise ConfigError(f"{path}: must hold one line of text, a password or a token")
    return value
