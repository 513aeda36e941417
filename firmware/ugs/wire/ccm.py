# SPDX-License-Identifier: MIT
# wire: AES-CCM (RFC 3610), 13-byte nonce, 8-byte tag, built from the ECB and CBC modes of
# cryptolib: one CBC pass for the tag, one ECB pass over the counter blocks, no Python per byte.
from cryptolib import aes
from micropython import const

from ugs.wire.errors import WireError

TAG = const(8)
_ECB = const(1)
_CBC = const(2)
_FLAGS = const(0x59)  # RFC 3610 2.2: associated data present, M = 8, L = 2


# Returns ciphertext and tag. `aad` has 1..65279 bytes (2-byte length form), `data` at most 65535.
def encrypt(key, nonce, data, aad):
    stream = _keystream(key, nonce, len(data))
    out = bytearray(len(data) + TAG)
    out[: len(data)] = _xor(data, memoryview(stream)[16:], len(data))
    out[len(data) :] = _tag(key, nonce, data, aad, stream)
    return out


# Returns the plaintext; raises WireError before any of it is released.
def decrypt(key, nonce, sealed, aad):
    size = len(sealed) - TAG
    if size < 0:
        raise WireError("bad_tag")
    stream = _keystream(key, nonce, size)
    data = _xor(memoryview(sealed)[:size], memoryview(stream)[16:], size)
    tag = _tag(key, nonce, data, aad, stream)
    difference = 0  # every byte is compared: constant time
    for i in range(TAG):
        difference |= tag[i] ^ sealed[size + i]
    if difference:
        raise WireError("bad_tag")
    return data


# Encrypted counter blocks: block 0 covers the tag, the others the data.
def _keystream(key, nonce, size):
    blocks = (size + 15 >> 4) + 1
    stream = bytearray(16 * blocks)
    for i in range(blocks):
        at = 16 * i
        stream[at] = 1  # L - 1
        stream[at + 1 : at + 14] = nonce
        stream[at + 14] = i >> 8
        stream[at + 15] = i & 0xFF
    aes(key, _ECB).encrypt(stream, stream)
    return stream


def _tag(key, nonce, data, aad, stream):
    start = 16 + (len(aad) + 17 & ~15)  # first block, then length and aad, padded
    blocks = bytearray(start + (len(data) + 15 & ~15))
    blocks[0] = _FLAGS
    blocks[1:14] = nonce
    blocks[14] = len(data) >> 8
    blocks[15] = len(data) & 0xFF
    blocks[16] = len(aad) >> 8
    blocks[17] = len(aad) & 0xFF
    blocks[18 : 18 + len(aad)] = aad
    blocks[start : start + len(data)] = data
    aes(key, _CBC, bytes(16)).encrypt(blocks, blocks)
    return _xor(memoryview(blocks)[-16:], stream, TAG)


# As one long integer: two conversions in C instead of a loop.
def _xor(a, b, size):
    number = int.from_bytes(a[:size], "big") ^ int.from_bytes(b[:size], "big")
    return number.to_bytes(size, "big")
