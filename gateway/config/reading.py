# SPDX-License-Identifier: MIT
"""Configuration: a TOML file becomes a msgspec Struct, or one line that states what is wrong.

The line names file and key, what the value must be, and an example. A rule over several keys is a
ValueError of `__post_init__` that starts with a key: 'username needs a password, e.g. ...'.
"""

from __future__ import annotations

import codecs
import difflib
import re
import tomllib
from collections.abc import Hashable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect

from gateway.config.secrets import Secret, resolve_secrets
from gateway.config.words import core_type, example_of, form_of, key_shown, tables_of, wanted
from gateway.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """The file as a value of this Struct type. Raises ConfigError."""
    return from_toml(read_file(path), kind, path)


def read_file(path: Path) -> bytes:
    """The content of a configuration file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_FILE_BYTES} bytes, not a configuration file")
    return raw


def from_toml(raw: bytes, kind: type[T], path: Path) -> T:
    """The same from content that `path` holds or will hold. Raises ConfigError."""
    return convert(parse_toml(raw, path), kind, str(path), path.parent)


def parse_toml(raw: bytes, path: Path) -> dict[str, Any]:
    """Plain values. Raises ConfigError."""
    try:
        return tomllib.loads(decoded(raw))
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: an integer of 5,000 digits is a plain ValueError.
        line = " ".join(ascii(str(error))[1:-1].split())[:200]
        raise ConfigError(f"{path}: not valid TOML: {line}") from None


def decoded(raw: bytes) -> str:
    """Text as editors write it: a byte order mark is no part of it. Raises ValueError."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("the file is UTF-16; save it as UTF-8")
    return raw.decode("utf-8-sig")


def convert(raw: Mapping[str, Any], kind: type[T], source: str, folder: Path, at: str = "") -> T:
    """One table of the file `source`, `at` the key it stands under.

    Paths in it are relative to `folder`. Raises ConfigError.
    """
    given: Mapping[str, Any] = raw
    try:
        given = resolve_secrets(raw, type_info(kind), folder)
        _check_texts(given, type_info(kind), "", None)
        return msgspec.convert(given, kind, dec_hook=lambda cls, one: _read(cls, one, folder))
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, TypeError):
            raise error.__cause__ from None  # ours, not the user's
        problem = _problem(error, _Place("", None, type_info(kind), given), error.__cause__)
    except ValueError as error:
        problem = str(error)
    raise ConfigError(f"{source}: {_joined(at, problem)}")


def type_info(kind: type) -> inspect.Type:
    """msgspec's description of a type."""
    return _type_info(kind)


@lru_cache(maxsize=64)
def _type_info(kind: Hashable) -> inspect.Type:
    return inspect.type_info(kind)


def _check_texts(value: Any, info: inspect.Type, key: str, field: inspect.Field | None) -> None:
    """Of texts the forms that msgspec cannot check. Raises ValueError that starts with the key."""
    core = core_type(info)
    match core, value:
        case inspect.StructType(fields=fields), Mapping():
            for one in fields:
                if one.encode_name in value:
                    name = one.encode_name
                    _check_texts(value[name], one.type, _joined(key, name), one)
        case inspect.ListType() | inspect.VarTupleType(), list():
            is_tables = tables_of(info) is not None
            for index, item in enumerate(value):
                at = f"{key}[{index}]" if is_tables else key
                _check_texts(item, core.item_type, at, field)
        case inspect.StrType(), str() if field is not None and not form_of(info)(value):
            name = key.rpartition(".")[2]
            raise ValueError(f"{key} {wanted(info)}, e.g. {example_of(name, field)}")


def _read(kind: Any, value: object, folder: Path) -> Any:
    if kind is not Path and isinstance(value, kind):
        return value  # a secret that is resolved already
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(getattr(kind, "wants", "must be text"))
    return folder / value if kind is Path else kind.read(value, folder)


class _Place(NamedTuple):
    """Where msgspec stopped: the key in the file, and the type and the value there."""

    key: str
    field: inspect.Field | None  # None: the root
    type: inspect.Type
    value: Any


def _problem(error: msgspec.ValidationError, root: _Place, cause: BaseException | None) -> str:
    """In words, starting with the key. `cause` is the error of a type of ours."""
    match = _PATH.search(str(error))
    place = _walk(root, match[1] if match else "$")
    core = core_type(place.type)
    if not isinstance(core, inspect.StructType) or not isinstance(place.value, Mapping):
        return _wrong(place, str(cause) if cause else "")
    return _joined(place.key, str(cause) if cause else _bad_keys(place.value, core))


def _wrong(place: _Place, wants: str) -> str:
    if place.field is None:
        return "must be a table"
    key = place.key.rpartition(".")[2].partition("[")[0]
    if place.key.endswith("]"):
        wants = "must be a table"
    wants = wants or wanted(place.field.type)
    return f"{place.key} {wants}, e.g. {example_of(key, place.field)}"


def _bad_keys(table: Mapping[str, Any], core: inspect.StructType) -> str:
    """The first key that is not known, or the first that is missing."""
    names = {one.encode_name: one for one in core.fields}
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name[:60], map(_file_key, core.fields), 1)
            hint = f", e.g. {near[0]}" if near else ""
            return f"{key_shown(name)} is not a known key; remove it or correct it{hint}"
    missing = next(one for one in core.fields if one.required and one.encode_name not in table)
    key = _file_key(missing)
    if key != missing.encode_name:
        return f'{key} is missing, e.g. {key} = "{missing.encode_name}.key"'
    return f"{key} is missing, e.g. {example_of(key, missing)}"


def _file_key(field: inspect.Field) -> str:
    """The key as the user writes it: a secret is named by its file."""
    match core_type(field.type):
        case inspect.CustomType(cls=kind) if issubclass(kind, Secret) and not kind.inline:
            return f"{field.encode_name}_file"
        case _:
            return field.encode_name


def _walk(place: _Place, path: str) -> _Place:
    """Follow msgspec's path down to the last table or key that stands in the file by name."""
    for name, index in _STEP.findall(path):
        core, item = core_type(place.type), tables_of(place.type)
        if isinstance(core, inspect.StructType) and name:
            field = next(one for one in core.fields if one.encode_name == name)
            key = _joined(place.key, name)
            place = _Place(key, field, field.type, place.value[name])
        elif item is not None and index:
            value = place.value[int(index)]
            place = _Place(f"{place.key}[{index}]", place.field, item, value)
        else:
            break  # inside of a value, such as a point of a polygon
    return place


def _joined(key: str, problem: str) -> str:
    return f"{key}.{problem}" if key else problem
