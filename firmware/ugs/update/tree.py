# SPDX-License-Identifier: MIT
# update: a firmware tree on flash: what is in it, written piece by piece, and made exact.

import os
from hashlib import sha256

from micropython import const

MANIFEST = "manifest"
_PART = "part"
_FOLDER = const(0x4000)
_PIECE = const(512)


def part_path(tree, digest):
    # Where a file gathers until it is whole; the name says whose pieces they are.
    return "%s/%s.%s" % (tree, digest[:8].hex(), _PART)


def size_of(path):
    # None when there is no such file.
    try:
        return os.stat(path)[6]
    except OSError:
        return None


def digest_steps(path):
    # Yields None for each piece read, then the SHA-256. Raises OSError.
    state = sha256()
    piece = bytearray(_PIECE)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(piece)
            if not count:
                break
            state.update(memoryview(piece)[:count])
            yield None
    yield state.digest()


def copy_steps(source, target):
    # Yields for each piece copied. A target that ends early is copied anew.
    piece = bytearray(_PIECE)
    with open(source, "rb") as read, open(target, "wb") as write:
        while True:
            count = read.readinto(piece)
            if not count:
                return
            write.write(memoryview(piece)[:count])
            yield None


def append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def put(part, path):
    # A whole file takes its place, and that of a former one, in one step of the file system.
    make_folders(path)
    os.rename(part, path)


def make_folders(path):
    at = path.find("/")
    while at >= 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it exists; if not, what comes next says so
        at = path.find("/", at + 1)


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def files(tree, folder=""):
    # The paths of all files, listed before the first is handed out: callers remove them.
    found = []
    try:
        entries = list(os.ilistdir(tree + "/" + folder if folder else tree))
    except OSError:
        return found
    for entry in entries:
        path = folder + "/" + entry[0] if folder else entry[0]
        if entry[1] == _FOLDER:
            found += files(tree, path)
        else:
            found.append(path)
    return found
