# SPDX-License-Identifier: MIT
"""wiregen: gateway/wire/messages.py, the messages as frozen msgspec structs."""

from __future__ import annotations

import keyword

from tools.wiregen_model import Enumeration, Field, Message, Schema

_HEAD = '''\
# SPDX-License-Identifier: MIT
"""wire: the messages, written by `groundwatch wire` from the schema table: not to be edited.

An optional field that is absent is None. Units end the names; ranges stand in the annotations.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from gateway.wire.field import Kind, WireEnum, wire\
'''
_TYPES = {"uint": "int", "int": "int", "bytes": "bytes", "text": "str", "pairs": "tuple[int, ...]"}


def render(schema: Schema) -> str:
    """The module's text."""
    parts = [_HEAD, f"SCHEMA_VERSION = {schema.version}"]
    parts[-1] += f"\nMAX_SEALED = {schema.max_sealed}  # bytes of a sealed message"
    parts[-1] += f"\nMAX_PAYLOAD = {schema.max_payload}  # bytes before sealing"
    parts[-1] += f"\nMAX_TOPIC = {schema.max_topic}\n"
    parts += [_enum(enum) for enum in schema.enums()]
    parts += [_message(message) for message in schema.messages]
    return "\n\n".join(parts) + "\n" + _unions(schema)


def class_name(message: Message) -> str:
    """`records_dropped` -> `RecordsDropped`."""
    return "".join(part.capitalize() for part in message.name.split("_"))


def attribute(name: str) -> str:
    """A reserved name of Python gets an underscore (PEP 8)."""
    return name + "_" if keyword.iskeyword(name) else name


def _enum(enum: Enumeration) -> str:
    users = f'    """Values of {enum.name.lower().replace("_", " ")}."""\n'
    values = "\n".join(f"    {name.upper()} = {value}" for value, name in enum.values if name)
    return f"class {enum.class_name}(WireEnum):\n{users}\n{values}\n"


def _message(message: Message) -> str:
    spaces = ", ".join(str(space) for space in message.spaces)
    spaces = ", ".join(str(space) for space in message.spaces)
    comma = "," if len(message.spaces) == 1 else ""
    lines = [
        f"class {class_name(message)}(msgspec.Struct, frozen=True, kw_only=True):",
        f'    """{message.meaning}"""',
        "",
        f"    ID: ClassVar[int] = {message.number}",
        f'    NAME: ClassVar[str] = "{message.name}"',
        f'    DIRECTION: ClassVar[Literal["up", "down"]] = "{message.direction}"',
        f"    SPACES: ClassVar[tuple[int, ...]] = ({spaces}{comma})",
        "",
    ]
    for field in message.fields:
        lines += _field(field)
    return "\n".join(lines) + "\n"


def _field(field: Field) -> list[str]:
    kind = field.enum.class_name if field.enum else _TYPES[field.kind]
    optional = "" if field.required else " | None"
    arguments = [str(field.key), f"Kind.{field.kind.upper()}", str(field.low), str(field.high)]
    arguments.append(f'"{field.unit}"')
    if field.enum:
        arguments.append(f"enum={field.enum.class_name}")
    if field.since > 1:
        arguments.append(f"since={field.since}")
    name, wire = attribute(field.name), f"wire({', '.join(arguments)})"
    default = "" if field.required else " = None"
    lines = [f"    # {field.meaning}"]
    text = f"    {name}: Annotated[{kind}{optional}, {wire}]{default}"
    if len(text) <= 100:
        return [*lines, text]
    parts = (f"        {kind}{optional},", f"        {wire},")
    return [*lines, f"    {name}: Annotated[", *parts, f"    ]{default}"]


def _unions(schema: Schema) -> str:
    def names(direction: str) -> list[str]:
        return [class_name(m) for m in schema.messages if m.direction == direction]

    up, down = names("up"), names("down")
    return (
        f"\nUpMessage: TypeAlias = (\n    {' | '.join(up)}\n)\n"
        f"DownMessage: TypeAlias = {' | '.join(down)}\n"
        "Message: TypeAlias = UpMessage | DownMessage\n\n"
        "MESSAGES: tuple[type[Message], ...] = (\n"
        + "".join(f"    {name},\n" for name in up + down)
        + ")\n"
    )
