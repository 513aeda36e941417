# SPDX-License-Identifier: MIT
# wire: payload <-> untagged COSE_Encrypt0 (RFC 9052 5.2) with AES-CCM-16-64-128 and a Partial IV.
# Sealing is deterministic: a resend has the same bytes and is not a new message.
from micropython import const

from ugs.wire import cbor, ccm, schema
from ugs.wire.errors import WireError

_HEAD = b"\x83\x43\xa1\x01\x0a\xa1\x06"  # [h'a1010a', {6: ...
_NONCE = const(13)
_PIV_MAX = const(5)


# Enc_structure (RFC 9052 5.3): what the tag covers beside the payload.
def enc_structure(aad):
    out = bytearray(16 + len(aad))
    out[:14] = b"\x83\x68Encrypt0\x43\xa1\x01\x0a"
    end = cbor.write_string(out, 14, cbor.BYTES, aad)
    return out[:end]


def seal(key, iv, piv, payload, aad):
    at = len(_HEAD)
    out = bytearray(at + 4 + len(piv))
    out[:at] = _HEAD
    at = cbor.write_string(out, at, cbor.BYTES, piv)
    at = cbor.write_head(out, at, cbor.BYTES, len(payload) + ccm.TAG)
    return bytes(out[:at]) + ccm.encrypt(key, _nonce(iv, piv), payload, enc_structure(aad))


# Returns (piv, payload). Raises WireError; no payload is released before its tag is verified.
def open_sealed(key, iv, data, aad):
    if len(data) > schema.MAX_SEALED:
        raise WireError("too_big")
    at = len(_HEAD)
    if bytes(data[:at]) != _HEAD:
        raise WireError("bad_envelope")
    piv, at = _string(data, at)
    sealed, at = _string(data, at)
    if at != len(data) or not 1 <= len(piv) <= _PIV_MAX or len(sealed) <= ccm.TAG:
        raise WireError("bad_envelope")
    return piv, ccm.decrypt(key, _nonce(iv, piv), sealed, enc_structure(aad))


def _string(data, at):
    try:
        value, at = cbor.read_item(data, at, 0)
    except WireError:
        raise WireError("bad_envelope") from None
    if not isinstance(value, bytes):
        raise WireError("bad_envelope")
    return value, at


# RFC 9052 3.1: the Partial IV, padded on the left, is XORed into the common IV.
def _nonce(iv, piv):
    nonce = bytearray(iv)
    shift = _NONCE - len(piv)
    for i in range(len(piv)):
        nonce[shift + i] ^= piv[i]
    return nonce


# Partial IV of an up message: boot and seq, preceded by 01 in the volatile counter space.
def up_piv(space, boot, seq):
    if space not in (schema.DURABLE, schema.VOLATILE):
        raise ValueError("no such counter space")
    if not 1 <= boot <= 0xFFFF or not 1 <= seq <= 0xFFFF:
        raise ValueError("counter out of range")
    piv = boot.to_bytes(2, "big") + seq.to_bytes(2, "big")
    return b"\x01" + piv if space else piv


# (counter space, boot, seq) of an up message; for code that acts as the gateway.
def parse_up_piv(piv):
    space = len(piv) - 4
    if space not in (schema.DURABLE, schema.VOLATILE) or (space and piv[0] != 1):
        raise WireError("bad_counter")
    boot = int.from_bytes(piv[space : space + 2], "big")
    seq = int.from_bytes(piv[space + 2 :], "big")
    if not boot or not seq:
        raise WireError("bad_counter")
    return space, boot, seq


# Partial IV of a down message: counter 1..2^40-1, big-endian, without leading zero bytes.
def down_piv(counter):
    if not 1 <= counter < 1 << 8 * _PIV_MAX:
        raise ValueError("counter out of range")
    size = 1
    while counter >> 8 * size:
        size += 1
    return counter.to_bytes(size, "big")


def parse_down_piv(piv):
    if not 1 <= len(piv) <= _PIV_MAX or not piv[0]:
        raise WireError("bad_counter")
    return int.from_bytes(piv, "big")


# external_aad of a down message: a command from before a reboot does not open.
def down_aad(topic, boot):
    return topic.encode() + boot.to_bytes(2, "big")
