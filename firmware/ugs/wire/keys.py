# SPDX-License-Identifier: MIT
# wire: the keys of one node, from its 32-byte node key, by HKDF-Expand (RFC 5869 2.3) over
# HMAC-SHA256 (RFC 2104).
from binascii import hexlify
from hashlib import sha256

_LABEL = b"groundwatch/v1 "


# For keys of at most one block (64 bytes); these keys have 32.
def hmac_sha256(key, data):
    inner = bytearray(b"\x36" * 64)
    outer = bytearray(b"\x5c" * 64)
    for i in range(len(key)):
        inner[i] ^= key[i]
        outer[i] ^= key[i]
    return sha256(bytes(outer) + sha256(bytes(inner) + data).digest()).digest()


def hkdf_expand(prk, info, size):
    out = block = b""
    count = 0
    while len(out) < size:
        count += 1
        block = hmac_sha256(prk, block + info + bytes((count,)))
        out += block
    return out[:size]


# Derives the key of an epoch from the previous one; the reverse is impossible.
def next_key(key, epoch):
    return hkdf_expand(key, b"%sepoch %d" % (_LABEL, epoch), 32)


# A check value: distinguishes node keys and reveals nothing else about them.
def check(node_key):
    return hkdf_expand(node_key, _LABEL + b"check", 4)


def mqtt_password(node_key):
    return hkdf_expand(node_key, _LABEL + b"mqtt password", 16)


class Keys:
    # The password is the same in all epochs of a provisioned key: it opens no message.

    def __init__(self, node_key, password):
        self.up_key = hkdf_expand(node_key, _LABEL + b"up key", 16)
        self.up_iv = hkdf_expand(node_key, _LABEL + b"up iv", 13)
        self.down_key = hkdf_expand(node_key, _LABEL + b"down key", 16)
        self.down_iv = hkdf_expand(node_key, _LABEL + b"down iv", 13)
        self.mqtt_password = hexlify(password).decode()


def derive(node_key):
    if len(node_key) != 32:
        raise ValueError("a node key has 32 bytes")
    return Keys(node_key, mqtt_password(node_key))
