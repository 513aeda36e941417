# SPDX-License-Identifier: MIT
"""Updates: a firmware release as one file: its signed manifest and the files it names.

    file     = first line || manifest size (u32 BE) || signature (64 bytes) || manifest || contents
    signed   = first line || SHA-256 of the manifest

The manifest is text, as a node reads it (firmware/ugs/update/manifest.py); contents follow in its
order, without anything between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import ConfigError

# The first line of a manifest, of what is signed, and of a release file.
FIRST = b"groundwatch release 1\n"
CHUNK_BYTES = 1024
MAX_MANIFEST_BYTES = 24_576
MAX_FILES = 255
MAX_FILE_BYTES = 65_536
MAX_CONTENT_BYTES = 262_144
_HEAD = re.compile(
    rb"groundwatch release 1\nboard ([a-z0-9_]{1,16})\nversion (\d{1,3}\.\d{1,3}\.\d{1,3})\n"
    rb"mpy (0|[1-9]\d{0,4})\n"
)
_LINE = re.compile(
    rb"([0-9a-f]{64}) (0|[1-9]\d{0,4}) ((?:boards|ugs)(?:/[a-z0-9_]+)+\.(?:mpy|bin))"
)
_MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose signature and hashes are right. `contents` are those of the files; `mpy` is
    what a node's `sys.implementation._mpy` has to be (tools.compiled)."""

    board: str
    version: str
    mpy: int
    manifest: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    contents: tuple[bytes, ...] = field(repr=False)

    @property
    def number(self) -> int:
        """The version as nodes compare it: 1.2.3 is 1002003."""
        return version_number(self.version)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the manifest: the name of this release."""
        return sha256(self.manifest).digest()

    @property
    def order(self) -> bytes:
        """The data of the update command (docs/wire.md section 7)."""
        return self.digest + self.signature + len(self.manifest).to_bytes(4, "big")

    def chunk(self, file: int, offset: int) -> bytes:
        """A chunk of the manifest (0) or of a file (from 1); empty when there is none."""
        files = (self.manifest, *self.contents)
        return files[file][offset : offset + CHUNK_BYTES] if 0 <= file < len(files) else b""


def version_number(version: str) -> int:
    """1.2.3 as 1002003. Raises ValueError."""
    parts = version.split(".")
    if len(parts) != 3 or not all(re.fullmatch(r"0|[1-9]\d{0,2}", part) for part in parts):
        raise ValueError(f"{version!r} is no version like 1.2.3")
    major, minor, patch = map(int, parts)
    return (major * 1000 + minor) * 1000 + patch


def build(
    board: str, version: str, mpy: int, files: Mapping[str, bytes], key: Ed25519PrivateKey
) -> bytes:
    """The bytes of a release file. Raises ConfigError when a node would not take it."""
    manifest = _manifest(board, version, mpy, files)
    data = _joined(manifest, key.sign(FIRST + sha256(manifest).digest()), files)
    parse(data, key.public_key(), "the release")
    return data


def unsigned(board: str, version: str, mpy: int, files: Mapping[str, bytes]) -> bytes:
    """The same without a signature: for the cable, no node takes it over the air."""
    return _joined(_manifest(board, version, mpy, files), bytes(64), files)


def _manifest(board: str, version: str, mpy: int, files: Mapping[str, bytes]) -> bytes:
    lines = [f"board {board}\n", f"version {version}\n", f"mpy {mpy}\n"]
    for name in sorted(files):
        lines.append(f"{sha256(files[name]).hexdigest()} {len(files[name])} {name}\n")
    return FIRST + "".join(lines).encode()


def _joined(manifest: bytes, signature: bytes, files: Mapping[str, bytes]) -> bytes:
    head = FIRST + len(manifest).to_bytes(4, "big") + signature
    return head + manifest + b"".join(files[name] for name in sorted(files))


def load(path: Path, key: Ed25519PublicKey) -> Release:
    """The release in a file. Raises ConfigError with one line."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONTENT_BYTES + MAX_MANIFEST_BYTES + 1024)
    except OSError as error:
        raise ConfigError(f"cannot read the release {path}: {error.strerror}") from None
    return parse(data, key, str(path))


def parse(data: bytes, key: Ed25519PublicKey, name: str) -> Release:
    """The release in `data`; `name` is its name in errors. Raises ConfigError."""
    at = len(FIRST)
    size = int.from_bytes(data[at : at + 4], "big")
    signature, start = data[at + 4 : at + 68], at + 68
    manifest = data[start : start + size]
    if data[:at] != FIRST or not 0 < size <= MAX_MANIFEST_BYTES or len(manifest) != size:
        raise ConfigError(f"{name} is no release file of groundwatch")
    try:
        key.verify(signature, FIRST + sha256(manifest).digest())
    except InvalidSignature:
        raise ConfigError(f"{name} is not signed by this site's release key") from None
    head = _HEAD.match(manifest)
    if head is None:
        raise ConfigError(f"{name} has a manifest without board, version and mpy")
    contents = _contents(manifest[head.end() :], data[start + size :], name)
    version = head[2].decode()
    try:
        version_number(version)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None
    return Release(head[1].decode(), version, int(head[3]), manifest, signature, contents)


def _contents(lines: bytes, data: bytes, name: str) -> tuple[bytes, ...]:
    if not lines.endswith(b"\n") or lines.count(b"\n") > MAX_FILES:
        raise ConfigError(f"{name} has no files or more than {MAX_FILES}")
    contents: list[bytes] = []
    before, at = b"", 0
    for line in lines[:-1].split(b"\n"):
        match = _LINE.fullmatch(line)
        if match is None or len(match[3]) > _MAX_PATH or match[3] <= before:
            raise ConfigError(f"{name} has a malformed line in its manifest")
        before, size = match[3], int(match[2])
        content = data[at : at + size]
        if size > MAX_FILE_BYTES or sha256(content).hexdigest().encode() != match[1]:
            raise ConfigError(f"{name}: {before.decode()} differs from its hash")
        contents.append(content)
        at += size
    if at > MAX_CONTENT_BYTES:
        raise ConfigError(f"{name} has {at} bytes of files, and a node takes {MAX_CONTENT_BYTES}")
    if at != len(data):
        raise ConfigError(f"{name} has {len(data)} bytes of files where its manifest has {at}")
    return tuple(contents)
