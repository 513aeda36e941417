# SPDX-License-Identifier: MIT
"""CPython stand-in for MicroPython's `cryptolib`: AES in the two modes every port has.

Lets `ugs.wire` run unchanged under CPython; the arithmetic is done by `cryptography`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ECB = 1
_CBC = 2


class aes:
    """As `cryptolib.aes(key, mode[, iv])`: whole blocks of 16 bytes, to `out` or returned."""

    def __init__(self, key: bytes, mode: int, iv: bytes | None = None) -> None:
        if mode == _ECB and iv is None:
            self._encryptor = Cipher(algorithms.AES(bytes(key)), modes.ECB()).encryptor()
        elif mode == _CBC and iv is not None:
            self._encryptor = Cipher(algorithms.AES(bytes(key)), modes.CBC(iv)).encryptor()
        else:
            raise ValueError("mode")

    def encrypt(self, data: bytes | bytearray, out: bytearray | None = None) -> bytes | None:
        if len(data) % 16:
            raise ValueError("blksize % 16")
        result = self._encryptor.update(bytes(data))
        if out is None:
            return result
        out[: len(result)] = result
        return None
