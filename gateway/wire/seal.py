# SPDX-License-Identifier: MIT
"""wire: payload <-> untagged COSE_Encrypt0 (RFC 9052 5.2), AES-CCM-16-64-128 with a Partial IV.

`key` is 16 bytes, `iv` the 13-byte common IV; docs/wire.md defines counter spaces and
external_aad.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from gateway.wire.errors import WireError
from gateway.wire.messages import MAX_SEALED

DURABLE, VOLATILE = 0, 1  # nonce counter spaces of the up direction

_HEAD = bytes.fromhex("8343a1010aa106")  # [h'a1010a', {6: ...
_TAG = 8
_NONCE = 13
_PIV_MAX = 5
# One entry per node and direction serves every message of it; setting a cipher up costs as much as
# opening a message with it.
_REMEMBERED = 32_768


def seal(key: bytes, iv: bytes, piv: bytes, payload: bytes, aad: bytes) -> bytes:
    """The sealed message; the same arguments give the same bytes."""
    body = _cipher(key).encrypt(_nonce(iv, piv), payload, enc_structure(aad))
    return _HEAD + _bstr(piv) + _bstr(body)


def open_sealed(key: bytes, iv: bytes, data: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """(Partial IV, payload). Raises WireError: too_big, bad_envelope, bad_tag."""
    piv, body = _parse(data)
    try:
        payload = _cipher(key).decrypt(_nonce(iv, piv), body, enc_structure(aad))
    except InvalidTag:
        raise WireError("bad_tag") from None
    return piv, payload


@lru_cache(_REMEMBERED)
def _cipher(key: bytes) -> AESCCM:
    return AESCCM(key, tag_length=_TAG)


@lru_cache(_REMEMBERED)
def enc_structure(aad: bytes) -> bytes:
    """What the tag covers beside the payload: Enc_structure (RFC 9052 5.3)."""
    return bytes.fromhex("8368") + b"Encrypt0" + bytes.fromhex("43a1010a") + _bstr(aad)


def down_aad(topic: str, boot: int) -> bytes:
    """external_aad of a down message: a command from before the node's reboot does not open."""
    return topic.encode() + boot.to_bytes(2, "big")


def parse_up_piv(piv: bytes) -> tuple[int, int, int]:
    """(space, boot, seq) of an up message. Raises WireError bad_counter."""
    if len(piv) == 4:
        space = DURABLE
    elif len(piv) == 5 and piv[0] == 1:
        space = VOLATILE
    else:
        raise WireError("bad_counter")
    counter = int.from_bytes(piv[-4:], "big")
    boot, seq = counter >> 16, counter & 0xFFFF
    if not boot or not seq:
        raise WireError("bad_counter")
    return space, boot, seq


def down_piv(counter: int) -> bytes:
    """Partial IV of a down message: 1..2^40-1, big-endian without leading zero bytes."""
    if not 1 <= counter < 1 << (8 * _PIV_MAX):
        raise ValueError(f"down counter out of range: {counter}")
    return counter.to_bytes((counter.bit_length() + 7) // 8, "big")


def parse_down_piv(piv: bytes) -> int:
    """Counter of a down message. Raises WireError bad_counter."""
    if not 1 <= len(piv) <= _PIV_MAX or piv[0] == 0:
        raise WireError("bad_counter")
    return int.from_bytes(piv, "big")


def _nonce(iv: bytes, piv: bytes) -> bytes:
    """RFC 9052 3.1: the Partial IV, padded on the left, XORed into the common IV."""
    mixed = int.from_bytes(iv, "big") ^ int.from_bytes(piv, "big")
    return mixed.to_bytes(_NONCE, "big")


def _bstr(data: bytes) -> bytes:
    """A CBOR byte string in its shortest form; `data` below 65536 bytes."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 0x100:
        return bytes((0x58, size)) + data
    return b"\x59" + size.to_bytes(2, "big") + data


def _parse(data: bytes) -> tuple[bytes, bytes]:
    """(Partial IV, ciphertext with tag). The envelope has one form; all else is refused."""
    if len(data) > MAX_SEALED:
        raise WireError("too_big")
    if not data.startswith(_HEAD):
        raise WireError("bad_envelope")
    # After the head come the value of header 6 and the ciphertext: two strings, nothing more.
    at = len(_HEAD)
    try:
        size = data[at] - 0x40
        body_at = at + 1 + size
        lead = data[body_at] - 0x40
        if lead < 24:  # bytes, their length in the first byte
            start, length, least = body_at + 1, lead, 0
        elif lead == 24:  # in one more byte
            start, length, least = body_at + 2, data[body_at + 1], 24
        elif lead == 25:  # in two more
            length = data[body_at + 1] << 8 | data[body_at + 2]
            start, least = body_at + 3, 0x100
        else:
            raise WireError("bad_envelope")
    except IndexError:
        raise WireError("bad_envelope") from None
    if not 1 <= size <= _PIV_MAX or length <= _TAG or length < least:
        raise WireError("bad_envelope")
    if start + length != len(data):
        raise WireError("bad_envelope")
    return data[at + 1 : body_at], data[start:]
