# SPDX-License-Identifier: MIT
# update: a firmware image on flash, which is one file: appends, copies, hashes.

import os
from hashlib import sha256

from micropython import const

_PIECE = const(512)


def size_of(path):
    # 0 if there is no such file.
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def digest_steps(path, at, size):
    # Yields None for each piece read, then the SHA-256 of a part of the file.
    state = sha256()
    piece = bytearray(_PIECE)
    with open(path, "rb") as file:
        file.seek(at)
        while size:
            count = file.readinto(memoryview(piece)[: min(_PIECE, size)])
            if not count:
                break
            state.update(memoryview(piece)[:count])
            size -= count
            yield None
    yield state.digest()


def copy_steps(source, at, size, target):
    # Appends a part of one file to another, yielding for each piece.
    piece = bytearray(_PIECE)
    with open(source, "rb") as read, open(target, "ab") as write:
        read.seek(at)
        while size:
            count = read.readinto(memoryview(piece)[: min(_PIECE, size)])
            if not count:
                return
            write.write(memoryview(piece)[:count])
            size -= count
            yield None
