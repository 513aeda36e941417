# SPDX-License-Identifier: MIT
# package: a firmware image as one file, mounted so that imports read from it. As about seventy
# separate files, two images would not fit on a Pico W: each file takes whole 4 KiB blocks, each
# folder two.
#
#   first line || manifest size (u32 BE) || signature (64 bytes) || manifest || contents
#
# It is a signed release with compiled files (docs/updates.md). Like slots.py, this file is not
# updated over the air.

import io
import sys
from binascii import hexlify
from hashlib import sha256

from micropython import const

try:
    from vfs import mount, umount
except ImportError:  # before 1.23
    pass

_POINT = "/fw"
FIRST = b"groundwatch release 1\n"
HEAD = const(90)  # first line, size, signature
_MANIFEST_MAX = const(24_576)
_HEAD_LINES = const(3)  # then a line that names the MicroPython
_MPY_MASK = const(0x3FFF)  # version, sub-version, architecture (docs.micropython.org, mpy_files)
_FILE = const(0x8000)
_FOLDER = const(0x4000)
_READ = const(1024)


def attach(path, read=None, feed=None):
    # Imports find the image at /fw. Its index uses heap until detach(). read(at, size) returns a
    # view of its bytes in flash; None if unavailable. With a `feed`, which is called meanwhile, the
    # contents are first compared with the manifest. Returns the function that gives place and size
    # of a file in it.
    package = Package(path, read, feed)
    mount(package, _POINT)
    return package.where


def detach():
    umount(_POINT)


class Package:
    # A read-only file system (the protocol of MicroPython's vfs.mount). Raises OSError for a file
    # that is no image or whose contents changed: after a bit flip in flash nothing is run, since
    # damaged machine code could do anything.

    def __init__(self, path, read=None, feed=None):
        self._path = path
        self._read = read
        # Path -> start of the file and its size (None for a folder). Each import asks four times:
        # this table takes 9 KB until the image is detached, and is 0.6 s faster than a text.
        self._files = {"": (0, None)}
        with open(path, "rb") as file:
            head = file.read(HEAD)
            size = int.from_bytes(head[22:26], "big")
            if head[:22] != FIRST or len(head) != HEAD or not 0 < size <= _MANIFEST_MAX:
                raise OSError(22)
            at = end = HEAD + size
            for _ in range(_HEAD_LINES):
                file.readline()
            # Machine code of another processor would crash this one.
            if file.readline() != b"mpy %d\n" % (sys.implementation._mpy & _MPY_MASK):
                raise OSError("image for another MicroPython")
            while file.tell() < end:
                words = file.readline().split(b" ")
                if len(words) != 3:
                    raise OSError(22)
                path = words[2][:-1].decode()
                size = int(words[1])
                self._files[path] = (at, size)
                if feed:
                    feed()
                    if self._digest(at, size) != words[0]:
                        raise OSError("image is damaged: " + path)
                at += size
                while "/" in path:
                    path = path.rsplit("/", 1)[0]
                    self._files[path] = (0, None)

    def _digest(self, at, size):
        digest = sha256()
        if self._read:
            digest.update(self._read(at, size))
            return hexlify(digest.digest())
        with open(self._path, "rb") as file:
            file.seek(at)
            while size:
                part = file.read(min(size, _READ))
                if not part:
                    break
                digest.update(part)
                size -= len(part)
        return hexlify(digest.digest())

    def where(self, path):
        # (start, size): size None for a folder; None if the path does not exist.
        return self._files.get(path.strip("/"))

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def open(self, path, mode):
        at, size = self.where(path) or (0, None)
        if size is None or mode not in ("r", "rb"):
            raise OSError(2)
        is_code = path.endswith(".mpy")
        if is_code and self._read:
            return io.BytesIO(self._read(at, size))
        file = open(self._path, "rb")
        file.seek(at)
        if not is_code:
            return _Slice(file, at, size, self._read and self._read(at, size))
        # The loader reads a few bytes at a time, and only from one of the port's own streams.
        data = file.read(size)
        file.close()
        return io.BytesIO(data)

    def stat(self, path):
        found = self.where(path)
        if found is None:
            raise OSError(2)
        size = found[1]
        return (_FOLDER if size is None else _FILE, 0, 0, 0, 0, 0, size or 0, 0, 0, 0)


class _Slice:
    # A part of an open file: large contents are not read twice into memory.
    #   view: all of it in place in flash; None if unavailable

    def __init__(self, file, at, size, view):
        self.view = view
        self._file = file
        self._at = at
        self._size = self._left = size

    def seek(self, place):
        place = min(place, self._size)
        self._left = self._size - place
        self._file.seek(self._at + place)

    def read(self, size=-1):
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def readinto(self, buffer):
        if self._left < len(buffer):
            buffer = memoryview(buffer)[: self._left]
        count = self._file.readinto(buffer)
        self._left -= count
        return count

    def close(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()
