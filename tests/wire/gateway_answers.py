# SPDX-License-Identifier: MIT
"""Answers the questions of node_answers.py with the gateway's code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import keys
from gateway.wire import cbor, codec, seal
from gateway.wire.errors import WireError
from gateway.wire.field import Kind, specs_of
from gateway.wire.messages import MESSAGES, Message

_CLASSES = {message.NAME: message for message in MESSAGES}


def encode(message: str, values: dict[str, Any]) -> str:
    """A dict of wire names becomes a message object first."""
    kind = _CLASSES[message]
    specs = specs_of(kind)
    given: dict[str, Any] = {}
    for name, value in values.items():
        attribute = "class_" if name == "class" else name
        spec = specs[attribute]
        if spec.kind is Kind.ENUM:
            given[attribute] = spec.enum(value)
        elif spec.kind is Kind.BYTES:
            given[attribute] = bytes.fromhex(value)
        else:
            given[attribute] = tuple(value) if isinstance(value, list) else value
    return codec.encode(kind(**given)).hex()


def decode(payload: str, direction: str | None = None) -> list[Any]:
    """A message object as its name and a dict of wire names."""
    message = codec.decode(bytes.fromhex(payload), direction)
    return [message.NAME, _values(message)]


def _values(message: Message) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for attribute in message.__struct_fields__:
        value = getattr(message, attribute)
        if value is None:
            continue
        name = attribute.rstrip("_")
        if isinstance(value, bytes):
            values[name] = value.hex()
        elif isinstance(value, tuple):
            values[name] = list(value)
        else:
            values[name] = int(value) if isinstance(value, int) else value
    return values


def _shown(value: cbor.Item) -> Any:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {"map": [[key, _shown(value[key])] for key in sorted(value)]}
    return value


def _open(key: str, iv: str, sealed: str, aad: str) -> list[str]:
    parts = [bytes.fromhex(part) for part in (key, iv, sealed, aad)]
    return [part.hex() for part in seal.open_sealed(*parts)]


def _derive(node_key: str) -> list[str]:
    made = keys.derive(bytes.fromhex(node_key))
    parts = (made.up_key, made.up_iv, made.down_key, made.down_iv)
    return [*(part.hex() for part in parts), made.mqtt_password]


def _seal(*parts: str) -> str:
    return seal.seal(*[bytes.fromhex(part) for part in parts]).hex()


QUESTIONS: dict[str, Callable[..., Any]] = {
    "encode": encode,
    "decode": decode,
    "read": lambda encoded, depth: _shown(cbor.loads(bytes.fromhex(encoded), depth)),
    "seal": _seal,
    "open": _open,
    "derive": _derive,
    "enc_structure": lambda aad: seal.enc_structure(bytes.fromhex(aad)).hex(),
    "parse_up_piv": lambda piv: list(seal.parse_up_piv(bytes.fromhex(piv))),
    "down_piv": lambda counter: seal.down_piv(counter).hex(),
    "parse_down_piv": lambda piv: seal.parse_down_piv(bytes.fromhex(piv)),
    "down_aad": lambda topic, boot: seal.down_aad(topic, boot).hex(),
}


def answer(question: list[Any]) -> Any:
    """One answer."""
    try:
        return QUESTIONS[question[0]](*question[1:])
    except WireError as error:
        return {"refused": error.reason}
    except ValueError:
        return {"wrong": True}
