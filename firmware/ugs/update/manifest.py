# SPDX-License-Identifier: MIT
# update: the manifest of a release, read line by line from its image, never held in memory as a
# whole.
#
#   groundwatch release 1
#   board pico_w
#   version 0.2.0
#   mpy 4870                    required value of sys.implementation._mpy (package.py)
#   <SHA-256, 64 hex digits> <size in bytes> <path>        one line per file, in order of path

from binascii import hexlify, unhexlify

from micropython import const

from ugs import version

_HEAD = const(90)  # of the file, before the manifest (package.py)
_FILES_MAX = const(255)  # a chunk request counts them in one byte
_FILE_MAX = const(65_536)
_TREE_MAX = const(262_144)  # two images, safe mode and the ledger share 868,352 bytes
_LINE_MAX = const(160)
_PATH_MAX = const(64)
_FIRST = b"groundwatch release 1\n"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_"


class ManifestError(Exception):
    pass


class Manifest:
    # board, version (number), mpy; entries() yields (path, SHA-256, start, size) of each file. The
    # constructor reads it all once and raises ManifestError or OSError. While the image is appended
    # to, only entry(place) may be used: `first`, then the returned place, up to `end`. littlefs
    # writes the last block of a file to a new place, and a reader still open on the old block finds
    # newer data there.

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.end = _HEAD + int.from_bytes(file.read(_HEAD)[22:26], "big")
            self.board, self.version, self.mpy = _read_head(file)
            self.first = file.tell()
        count = total = 0
        before = ""
        for name, _digest, _at, size in self.entries():
            count += 1
            total += size
            if name <= before or count > _FILES_MAX or total > _TREE_MAX:
                raise ManifestError("files")
            before = name
        if not count:
            raise ManifestError("files")

    def find(self, digest):
        # Where a file with this hash starts, or None. The manifest was read and valid a moment ago:
        # this reads only what it needs, once for each file of an update.
        wanted = hexlify(digest)
        at = self.end
        with open(self.path, "rb") as file:
            file.seek(self.first)
            while file.tell() < self.end:
                words = file.readline(_LINE_MAX).split(b" ")
                if words[0] == wanted:
                    return at
                at += int(words[1])
        return None

    def entry(self, place):
        # (SHA-256, size, place of the next line) of the file whose line starts there.
        with open(self.path, "rb") as file:
            file.seek(place)
            line = file.readline(_LINE_MAX)
        _name, size, digest = _parse(line)
        return digest, size, place + len(line)

    def entries(self):
        at = self.end
        with open(self.path, "rb") as file:
            file.seek(_HEAD)
            _read_head(file)
            while file.tell() < self.end:
                line = file.readline(_LINE_MAX)
                if file.tell() > self.end:
                    raise ManifestError("line")
                name, size, digest = _parse(line)
                yield name, digest, at, size
                at += size


def _read_head(file):
    if file.readline(_LINE_MAX) != _FIRST:
        raise ManifestError("format")
    try:
        board = _word(file.readline(_LINE_MAX), b"board ")
        number = version.number(_word(file.readline(_LINE_MAX), b"version "))
        mpy = _word(file.readline(_LINE_MAX), b"mpy ")
        if not mpy.isdigit() or str(int(mpy)) != mpy:
            raise ManifestError("head")
        return board, number, int(mpy)
    except (ValueError, UnicodeError):
        raise ManifestError("head")


def _word(line, key):
    if not line.startswith(key) or not line.endswith(b"\n"):
        raise ManifestError("head")
    return str(line[len(key) : -1], "ascii")


def _parse(line):
    parts = line[:-1].split(b" ")
    if len(parts) != 3 or line[-1:] != b"\n" or not parts[1].isdigit() or not is_path(parts[2]):
        raise ManifestError("line")
    size = int(parts[1])
    try:
        digest = unhexlify(parts[0])
    except ValueError:
        raise ManifestError("line")
    if len(digest) != 32 or size > _FILE_MAX or str(size).encode() != parts[1]:
        raise ManifestError("line")
    return str(parts[2], "ascii"), size, digest


def is_path(path):
    # boards/... or ugs/... with plain names: a path must stay inside its image.
    words = path.split(b"/")
    if len(path) > _PATH_MAX or len(words) < 2 or words[0] not in (b"boards", b"ugs"):
        return False
    stem, dot, suffix = words[-1].partition(b".")
    if not dot or suffix not in (b"mpy", b"bin"):
        return False
    for word in words[:-1] + [stem]:
        if not word:
            return False
        for letter in word:
            if letter not in _LETTERS:
                return False
    return True
