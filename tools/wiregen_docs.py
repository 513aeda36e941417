# SPDX-License-Identifier: MIT
"""wiregen: docs/wire.md (from the template tools/wire.md.in) and docs/groundwatch.cddl."""

from __future__ import annotations

import re
from pathlib import Path

from tools import wiregen_example
from tools.errors import UserError
from tools.wiregen_model import Enumeration, Field, Message, Schema

TEMPLATE = Path(__file__).with_name("wire.md.in")


def render_markdown(schema: Schema) -> str:
    """The wire manual."""
    values = {
        "VERSION": str(schema.version),
        "MAX_TOPIC": str(schema.max_topic),
        "MAX_SEALED": str(schema.max_sealed),
        "MAX_PAYLOAD": str(schema.max_payload),
        "DURABLE": _names(schema, space=0),
        "VOLATILE": _names(schema, space=1),
        "DOWN": ", ".join(m.name for m in schema.messages if m.direction == "down"),
        "FRAME": wiregen_example.frame(),
        "TABLES": "\n\n".join(_table(message) for message in schema.messages),
        "OVERHEAD": _overhead(schema),
        "SIZES": wiregen_example.sizes(schema),
        "EXAMPLE": wiregen_example.example(schema),
        "RESERVED": _reserved(schema),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    unknown = set(re.findall(r"@([A-Z_]+)@", text)) ^ set(values)
    if unknown:
        raise UserError(f"wire.md.in and wiregen_docs.py disagree on {', '.join(sorted(unknown))}")
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], text)


def render_cddl(schema: Schema) -> str:
    """The payloads and the envelope in CDDL (RFC 8610)."""
    names = {
        direction: " / ".join(_rule(m) for m in schema.messages if m.direction == direction)
        for direction in ("up", "down")
    }
    head = f"""\
; Written by `groundwatch wire` from firmware/ugs/wire/schema.py: edit that.
; Schema version {schema.version}; docs/wire.md has the meaning.

message = up-message / down-message
up-message = {names["up"]}
down-message = {names["down"]}

; Untagged COSE_Encrypt0 (RFC 9052 5.2), AES-CCM-16-64-128, Partial IV.
sealed = [
  protected: h'a1010a',
  unprotected: {{ 6: bstr .size (1..5) }},
  ciphertext: bstr .size (9..{schema.max_payload + 8}),
]

u16 = 0..65535"""
    parts = [
        head,
        *[_cddl_enum(enum) for enum in schema.enums()],
        *[_cddl_message(message) for message in schema.messages],
    ]
    return "\n\n".join(parts) + "\n"


def _names(schema: Schema, space: int) -> str:
    names = [message.name for message in schema.messages if space in message.spaces]
    if space == 1 and "condition" in names:
        names[names.index("condition")] = "condition as the Will"
    return ", ".join(names)


def _overhead(schema: Schema) -> str:
    message = next(message for message in schema.messages if message.name == "detection")
    values = wiregen_example.TYPICAL["detection"]
    payload = wiregen_example.encode(schema, "detection", values)
    cost = wiregen_example.sealed_size(schema, message, values) - len(payload)
    return f"{cost} bytes in counter space 0, one more in space 1 for a short message, 24 at most"


def _table(message: Message) -> str:
    spaces = {(): "", (0,): ", durable", (1,): ", volatile"}.get(
        message.spaces, ", durable or volatile"
    )
    lines = [
        f"### {message.number} {message.name} ({message.direction}{spaces})",
        "",
        message.meaning,
        "",
        "| key | field | type | bounds | unit | since | |",
        "|---|---|---|---|---|---|---|",
    ]
    for field in message.fields:
        optional = "" if field.required else "optional; "
        meaning = f"{optional}{field.meaning}{_listed(field.enum)}"
        bounds = f"{field.low}..{field.high}"
        lines.append(
            f"| {field.key} | {field.name} | {field.kind} | {bounds} | {field.unit} "
            f"| {field.since} | {meaning} |"
        )
    return "\n".join(lines)


def _listed(enum: Enumeration | None) -> str:
    if enum is None:
        return ""
    return ": " + ", ".join(f"{value} {name or '(reserved)'}" for value, name in enum.values)


def _reserved(schema: Schema) -> str:
    gone = [f"{m.name} {key}" for m in schema.messages for key in m.reserved]
    gone += [f"{e.name.lower()} {v}" for e in schema.enums() for v, name in e.values if not name]
    return f"Reserved: {', '.join(gone)}." if gone else "Nothing is reserved yet."


def _cddl_enum(enum: Enumeration) -> str:
    values = ", ".join(f"{name}: {value}" for value, name in enum.values if name)
    return f"{_dashed(enum.name)} = &( {values} )"


def _cddl_message(message: Message) -> str:
    lines = [f"; {message.meaning}", f"{_rule(message)} = {{", f"    0 => {message.number},"]
    for field in message.fields:
        optional = "  " if field.required else "? "
        note = field.name if field.unit == "-" else f"{field.name}, {field.unit}"
        lines.append(f"  {optional}{field.key} => {_cddl_type(field)}, ; {note}")
    return "\n".join(lines) + "\n}"


def _cddl_type(field: Field) -> str:
    if field.enum:
        return _dashed(field.enum.name)
    if field.kind == "bytes":
        return f"bstr .size ({field.low}..{field.high})"
    if field.kind == "text":
        return f'tstr .regexp "[ -~]{{{field.low},{field.high}}}"'
    if field.kind == "pairs":
        return f"[ {field.low // 2}*{field.high // 2} (u16, u16) ]"
    return f"{field.low}..{field.high}"


def _rule(message: Message) -> str:
    """With a suffix: `time` alone is a type of CDDL's prelude."""
    return f"{_dashed(message.name)}-message"


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")
