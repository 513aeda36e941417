# SPDX-License-Identifier: MIT
"""Configuration: what a value must be, and an example of it, in words made from its type.

Both come from the Struct: from the constraint, from `Meta(examples=[...])`, and where the
constraint alone would be unclear, from `Meta(extra={"wants": "must be ...", "example": "a = 1"})`.
A type of ours has the class attributes `wants` and `example`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

_MAX_SHOWN = 60
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


def core_type(info: inspect.Type) -> inspect.Type:
    """Without metadata and without None."""
    while True:
        if isinstance(info, inspect.Metadata):
            info = info.type
        elif isinstance(info, inspect.UnionType):
            info = next(one for one in info.types if not isinstance(one, inspect.NoneType))
        else:
            return info


def tables_of(info: inspect.Type) -> inspect.Type | None:
    """The type of each table in a list of tables."""
    core = core_type(info)
    if not isinstance(core, inspect.ListType | inspect.VarTupleType):
        return None
    is_table = isinstance(core_type(core.item_type), inspect.StructType | inspect.DictType)
    return core.item_type if is_table else None


def quoted(value: object) -> str:
    """What the user wrote, short and on one line."""
    return ascii(value if not isinstance(value, str) else value[:_MAX_SHOWN])[: _MAX_SHOWN + 2]


def key_shown(name: str) -> str:
    """A key as it stands in the file, or quoted if it is an odd one."""
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def form_of(info: inspect.Type) -> Callable[[str], bool]:
    """The check of a text beyond what JSON Schema can express."""
    fits: Callable[[str], bool] = _meta(info)[1].get("fits", bool)
    return fits


def wanted(info: inspect.Type) -> str:
    """What a value of this type must be."""
    _examples, extra = _meta(info)
    if "wants" in extra:
        return str(extra["wants"])
    match core_type(info):
        case inspect.CustomType(cls=kind):
            return str(getattr(kind, "wants", "must be text"))
        case inspect.IntType(ge=low, le=high):
            return f"must be a whole number{_range(low, high)}"
        case inspect.FloatType(ge=low, le=high):
            return f"must be a number{_range(low, high)}"
        case inspect.StrType(min_length=low, max_length=high):
            return f"must have{_range(low, high)} characters" if high else "must be text"
        case inspect.BoolType():
            return "must be true or false"
        case inspect.EnumType(cls=kind):
            return f"must be one of {', '.join(str(one.value) for one in kind)}"
        case inspect.LiteralType(values=values):
            return f"must be one of {', '.join(str(one) for one in values)}"
        case inspect.ListType() | inspect.VarTupleType() as core:
            return f"must be a list of{_items(core)}"
        case _:
            return "must be a table"


def example_of(key: str, field: inspect.Field) -> str:
    """A line of TOML that would be right."""
    examples, extra = _meta(field.type)
    if "example" in extra:
        return str(extra["example"])
    core = core_type(field.type)
    if tables_of(field.type):
        return f"[[{key}]]"
    if isinstance(core, inspect.StructType | inspect.DictType):
        return f"[{key}]"
    if not examples and field.default not in (msgspec.NODEFAULT, None, ""):
        examples = [getattr(field.default, "value", field.default)]
    return f"{key} = {json.dumps((examples or _examples_of(core))[0], default=str)}"


def _examples_of(core: inspect.Type) -> list[Any]:
    match core:
        case inspect.CustomType(cls=kind):
            return [getattr(kind, "example", "text")]
        case inspect.EnumType(cls=kind):
            return [one.value for one in kind]
        case inspect.LiteralType(values=values):
            return list(values)
        case inspect.BoolType():
            return [True]
        case inspect.IntType(ge=low) | inspect.FloatType(ge=low):
            return [low or 0]
        case _:
            return ["text"]


def _meta(info: inspect.Type) -> tuple[list[Any], dict[str, Any]]:
    """Examples and `extra`, those outside before those inside."""
    examples: list[Any] = []
    extra: dict[str, Any] = {}
    while True:
        if isinstance(info, inspect.Metadata):
            examples = examples or list((info.extra_json_schema or {}).get("examples", ()))
            extra = {**(info.extra or {}), **extra}
            info = info.type
        elif isinstance(info, inspect.UnionType):
            info = next(one for one in info.types if not isinstance(one, inspect.NoneType))
        else:
            return examples, extra


def _range(low: float | None, high: float | None) -> str:
    return f" {low:.12g} to {high:.12g}" if low is not None and high is not None else ""


def _items(core: inspect.ListType | inspect.VarTupleType) -> str:
    item = core_type(core.item_type)
    many = "texts" if isinstance(item, inspect.StrType | inspect.CustomType) else "values"
    if isinstance(item, inspect.StructType | inspect.DictType):
        many = "tables"
    count = _range(core.min_length or 0, core.max_length) if core.max_length else ""
    return f"{count} {many}"
