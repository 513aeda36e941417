# SPDX-License-Identifier: MIT
"""wiregen: figures and examples of docs/wire.md, computed with the node's own code."""

from __future__ import annotations

import hashlib
import hmac
import zlib

from tools.errors import UserError
from tools.wiregen_model import Message, Schema

SITE, NODE, GENERATION = "ford", "n07", 1
BOOT, SEQ = 3, 258
FLEET_ROOT = bytes(range(32))
TOPIC = f"groundwatch/v1/{SITE}/{NODE}/up"
Values = dict[str, int | str | bytes | list[int]]

# Typical values; messages without an entry have no typical size.
TYPICAL: dict[str, Values] = {
    "detection": {
        "t_ms": 5_025_140,
        "phase": 2,
        "class": 1,
        "confidence_pct": 82,
        "peak_um_s_x100": 412,
        "cadence_hz_x20": 36,
        "pir_count": 1,
        "elapsed_s_x10": 50,
    },
    "health": {
        "t_ms": 5_040_000,
        "battery_mv": 3912,
        "rssi_dbm": -67,
        "floor_um_s_x100": 11,
        "samples_missed": 0,
        "ledger_pending": 0,
    },
    "footfalls": {
        "t_ms": 5_025_140,
        "utc_ms": 1_795_409_987_342,
        "error_ms": 7,
        "footfalls": [0, 412, 548, 380, 1104, 455, 1650, 391, 2208, 430, 2752, 362, 3304, 337],
    },
    "receipt": {"upto": [BOOT, SEQ]},
    "time": {"utc_ms": 1_795_410_000_000, "echo_ms": 5_040_000},
}


def extreme(message: Message, *, largest: bool) -> Values:
    """Every field at its largest encoding, or only what is required at its smallest."""
    values: Values = {}
    for field in message.fields:
        if not largest and not field.required:
            continue
        if field.kind == "bytes":
            values[field.name] = bytes(field.high if largest else field.low)
        elif field.kind == "text":
            values[field.name] = "x" * (field.high if largest else field.low)
        elif field.kind == "pairs":
            values[field.name] = [0xFFFF] * field.high if largest else [1] * field.low
        elif field.kind == "int":
            values[field.name] = field.low if largest else field.high
        else:
            values[field.name] = field.high if largest else field.low
    return values


def encode(schema: Schema, name: str, values: Values) -> bytes:
    """Payload by the node's encoder."""
    from ugs.wire import codec

    buffer = bytearray(schema.max_payload)
    try:
        return bytes(buffer[: codec.encode(buffer, name, values)])
    except ValueError as error:
        raise UserError(f"schema.py and TYPICAL in wiregen_example.py: {error}") from None


def sealed_size(schema: Schema, message: Message, values: Values) -> int:
    """Bytes of the sealed message with the longest Partial IV its spaces or direction use."""
    from ugs.wire import seal

    piv = bytes(5) if message.direction == "down" or 1 in message.spaces else bytes(4)
    payload = encode(schema, message.name, values)
    return len(seal.seal(bytes(16), bytes(13), piv, payload, b"aad"))


def sizes(schema: Schema) -> str:
    """The size table."""
    lines = ["| message | least | typical | most |", "|---|---|---|---|"]
    for message in schema.messages:
        typical = TYPICAL.get(message.name)
        middle = str(sealed_size(schema, message, typical)) if typical else "-"
        least = sealed_size(schema, message, extreme(message, largest=False))
        most = sealed_size(schema, message, extreme(message, largest=True))
        lines.append(f"| {message.name} | {least} | {middle} | {most} |")
    return "\n".join(lines)


def example(schema: Schema) -> str:
    """One detection from its keys to its bytes."""
    from ugs.wire import keys, seal

    info = f"groundwatch/v1/{SITE}/{NODE}/{GENERATION}".encode()
    node_key = keys.hkdf_expand(hmac.new(bytes(32), FLEET_ROOT, hashlib.sha256).digest(), info, 32)
    derived = keys.derive(node_key)
    payload = encode(schema, "detection", TYPICAL["detection"])
    piv = seal.up_piv(0, BOOT, SEQ)
    nonce = int.from_bytes(derived.up_iv, "big") ^ int.from_bytes(piv, "big")
    sealed = seal.seal(derived.up_key, derived.up_iv, piv, payload, TOPIC.encode())
    body = sealed[-len(payload) - 8 :]
    rows = [
        ("fleet_root", FLEET_ROOT.hex(), "an example: never use it"),
        ("info", f'"{info.decode()}"', ""),
        ("node_key", node_key.hex(), ""),
        ("up_key", derived.up_key.hex(), ""),
        ("up_iv", derived.up_iv.hex(), ""),
        ("down_key", derived.down_key.hex(), ""),
        ("down_iv", derived.down_iv.hex(), ""),
        ("mqtt_password", derived.mqtt_password, ""),
        ("topic", f'"{TOPIC}"', "this is the external_aad"),
        ("Partial IV", piv.hex(), f"counter space 0, boot {BOOT}, seq {SEQ}"),
        ("nonce", nonce.to_bytes(13, "big").hex(), "up_iv XOR Partial IV"),
        ("aad", bytes(seal.enc_structure(TOPIC.encode())).hex(), ""),
        ("payload", payload.hex(), f"{len(payload)} bytes"),
        ("ciphertext", body[:-8].hex(), ""),
        ("tag", body[-8:].hex(), ""),
        ("sealed", sealed.hex(), f"{len(sealed)} bytes"),
    ]
    lines = []
    for name, value, note in rows:
        lines += _wrapped(name, value, note)
    lines += ["", "    the payload:", "", *_annotated(schema, payload)]
    return "\n".join(lines)


def frame() -> str:
    """A small serial frame."""
    topic, message = b"groundwatch/v1/a/b/up", bytes.fromhex("8300")
    body = bytes((len(topic),)) + topic + message
    crc = zlib.crc32(body).to_bytes(4, "little")
    coded = _cobs(body + crc) + b"\x00"
    rows = (("topic", f'"{topic.decode()}"', ""), ("message", message.hex(), "not a real one"))
    lines = [line for row in rows for line in _wrapped(*row)]
    lines += _wrapped("CRC-32", crc.hex(), "as sent") + _wrapped("frame", coded.hex(), "")
    return "\n".join(lines)


def _cobs(data: bytes) -> bytes:
    """Each run without a zero, led by its length plus one; no run here reaches 254 bytes."""
    return b"".join(bytes((len(run) + 1,)) + run for run in data.split(b"\x00"))


def _wrapped(name: str, value: str, note: str, width: int = 64) -> list[str]:
    pieces = [value[i : i + width] for i in range(0, len(value), width)]
    lines = [f"    {name:<14}{pieces[0]}"] + [f"    {'':<14}{piece}" for piece in pieces[1:]]
    if note:
        lines[-1] += f"   {note}"
    return lines


def _annotated(schema: Schema, payload: bytes) -> list[str]:
    from ugs.wire import cbor

    message = next(message for message in schema.messages if message.name == "detection")
    _, count, at = cbor.read_head(payload, 0)
    lines = [f"    {payload[:at].hex():<14}map of {count}"]
    names = {field.key: field for field in message.fields}
    while at < len(payload):
        start = at
        key, at = cbor.read_item(payload, at, 0)
        value, at = cbor.read_item(payload, at, 0)
        text = f"{payload[start : start + 1].hex()} {payload[start + 1 : at].hex()}"
        if key == 0:
            lines.append(f"    {text:<14}message id {value}: {message.name}")
            continue
        field = names[key]
        shown = dict(field.enum.values)[value] if field.enum else value
        unit = "" if field.unit == "-" else f" ({field.unit})"
        lines.append(f"    {text:<14}{field.name} = {shown}{unit}")
    return lines
