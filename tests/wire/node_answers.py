# SPDX-License-Identifier: MIT
# Answers questions about the wire with the node's own code: imported by CPython, or run by
# MicroPython with a question per line of input. A question is a list of a word and its arguments,
# bytes as hex digits; an answer is a JSON value, {"refused": reason} for a WireError and
# {"wrong": true} for a ValueError.
import json
import sys
from binascii import hexlify, unhexlify

from ugs.wire import cbor, ccm, codec, keys, schema, seal
from ugs.wire.errors import WireError


def _hex(data):
    return hexlify(bytes(data)).decode()


def _is_bytes(message, field):
    for row in schema._fields(message):
        if row[1] == field:
            return row[2] & ~schema.OPT == schema.BYTES
    return False


def _shown(value):
    if isinstance(value, bytes):
        return {"bytes": _hex(value)}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        return {"map": [[key, _shown(value[key])] for key in sorted(value)]}
    return value


def encode(message, values):
    given = {}
    for field in values:
        value = values[field]
        given[field] = unhexlify(value) if _is_bytes(message, field) else value
    buffer = bytearray(schema.MAX_PAYLOAD)
    return _hex(buffer[: codec.encode(buffer, message, given)])


def decode(payload, direction=None):
    ways = {None: None, "up": schema.UP, "down": schema.DOWN}
    message, values = codec.decode(unhexlify(payload), ways[direction])
    for field in values:
        if isinstance(values[field], bytes):
            values[field] = _hex(values[field])
    return [message, values]


def read(encoded, depth):
    data = unhexlify(encoded)
    value, at = cbor.read_item(data, 0, depth)
    if at != len(data):
        raise WireError("trailing")
    return _shown(value)


def seal_(key, iv, piv, payload, aad):
    parts = [unhexlify(part) for part in (key, iv, piv, payload, aad)]
    return _hex(seal.seal(*parts))


def open_(key, iv, sealed, aad):
    piv, payload = seal.open_sealed(*[unhexlify(part) for part in (key, iv, sealed, aad)])
    return [_hex(piv), _hex(payload)]


def derive(node_key):
    made = keys.derive(unhexlify(node_key))
    parts = [_hex(part) for part in (made.up_key, made.up_iv, made.down_key, made.down_iv)]
    parts.append(made.mqtt_password)
    return parts


QUESTIONS = {
    "encode": encode,
    "decode": decode,
    "read": read,
    "seal": seal_,
    "open": open_,
    "derive": derive,
    "expand": lambda prk, info, n: _hex(keys.hkdf_expand(unhexlify(prk), unhexlify(info), n)),
    "ccm": lambda *parts: _hex(ccm.encrypt(*[unhexlify(part) for part in parts])),
    "ccm_open": lambda *parts: _hex(ccm.decrypt(*[unhexlify(part) for part in parts])),
    "enc_structure": lambda aad: _hex(seal.enc_structure(unhexlify(aad))),
    "up_piv": lambda space, boot, seq: _hex(seal.up_piv(space, boot, seq)),
    "parse_up_piv": lambda piv: list(seal.parse_up_piv(unhexlify(piv))),
    "down_piv": lambda counter: _hex(seal.down_piv(counter)),
    "parse_down_piv": lambda piv: seal.parse_down_piv(unhexlify(piv)),
    "down_aad": lambda topic, boot: _hex(seal.down_aad(topic, boot)),
}


def answer(question):
    try:
        return QUESTIONS[question[0]](*question[1:])
    except WireError as error:
        return {"refused": error.reason}
    except ValueError:
        return {"wrong": True}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
