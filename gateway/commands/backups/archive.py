# SPDX-License-Identifier: MIT
"""Backups: the file: two lines, a compressed tar archive, and a SHA-256 over all of it.

With a passphrase the archive is encrypted: AES-256-GCM in chunks, under a random key that
gateway/wrapped.py wraps. Each chunk authenticates its number, whether it is the last one, and the
two lines, so chunks cannot be left out, moved or cut off.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import secrets
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigError
from gateway.files import replace_synced
from gateway.wrapped import open_secret, wrap

_MAGIC = b"groundwatch backup 1\n"
_DIGEST = hashlib.sha256().digest_size
_CHUNK = 1 << 20
_TAG = 16
_MAX_HEADER = 8192
_WHAT = "backup key"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True)
class Header:
    """The second line. `key` is a wrapped key as gateway/wrapped.py writes it, "" for none."""

    site: str
    made_at: str  # UTC, ISO 8601
    version: str
    key: str = ""


@dataclass(frozen=True)
class Entry:
    """One file of the archive: its name there, and where its content is."""

    name: str
    source: Path
    mode: int = 0o600


def write(path: Path, header: Header, entries: Iterable[Entry], passphrase: str = "") -> int:
    """A new file of mode 0600, complete or not there. Its bytes. Raises ConfigError, OSError."""
    _must_be_new(path)
    key = b""
    if passphrase:
        key = secrets.token_bytes(32)
        header = Header(header.site, header.made_at, header.version, wrap(_WHAT, key, passphrase))
    head = _MAGIC + json.dumps(asdict(header)).encode() + b"\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            summed = _Summed(file)
            summed.write(head)
            sink = _Encrypted(summed, key, head) if key else summed
            _write_tar(sink, entries)
            if isinstance(sink, _Encrypted):
                sink.finish()
            file.write(summed.digest())
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        # Not a link, which would replace nothing: a memory stick may have no hard links.
        _must_be_new(path)
        replace_synced(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    return size


def _must_be_new(path: Path) -> None:
    if path.exists():
        raise ConfigError(f"{path} exists; name another file")


def check(path: Path) -> Header:
    """Verify the checksum over the whole file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            header, _head = _header(file, path)
            left = file.seek(0, os.SEEK_END) - _DIGEST
            file.seek(0)
            found = hashlib.sha256()
            while left > 0 and (part := file.read(min(left, _CHUNK))):
                found.update(part)
                left -= len(part)
            if left or file.read() != found.digest():
                raise ConfigError(f"{path} is damaged or cut off: its checksum is wrong")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    return header


def extract(path: Path, passphrase: str, accept: Callable[[str], Path | None]) -> list[str]:
    """Write every file to the path that `accept` returns for its name; None refuses the name.

    Returns the names in their order. Call `check` first. Raises ConfigError, OSError.
    """
    done = []
    try:
        with path.open("rb") as file:
            header, head = _header(file, path)
            end = path.stat().st_size - _DIGEST
            source: BinaryIO = io.BufferedReader(_Part(file, end))
            if header.key:
                key = _unwrapped(path, header, passphrase)
                source = io.BufferedReader(_Decrypted(source, key, head), _CHUNK)
            with tarfile.open(fileobj=source, mode="r|gz") as archive:
                for member in archive:
                    target = accept(member.name) if member.isfile() else None
                    content = archive.extractfile(member) if target else None
                    if target is None or content is None:
                        raise ConfigError(f"{path} holds {member.name!r}, which is no file of ours")
                    _write_file(target, content, member.mode & 0o777)
                    done.append(member.name)
            while source.read(_CHUNK):
                pass  # the last chunk authenticates the end
    except (InvalidTag, ValueError, EOFError, tarfile.TarError, struct.error, zlib.error):
        raise ConfigError(f"{path} is no backup that this version can read") from None
    return done


def _header(file: BinaryIO, path: Path) -> tuple[Header, bytes]:
    if file.readline(len(_MAGIC)) != _MAGIC:
        raise ConfigError(f"{path} is no backup of a gateway")
    line = file.readline(_MAX_HEADER)
    try:
        fields = json.loads(line)
        header = Header(**{name: str(value) for name, value in fields.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ConfigError(f"{path} is damaged: its first lines cannot be read") from None
    return header, _MAGIC + line


def _unwrapped(path: Path, header: Header, passphrase: str) -> bytes:
    with tempfile.NamedTemporaryFile(prefix="groundwatch-") as file:
        file.write(header.key.encode())
        file.flush()
        try:
            return open_secret(Path(file.name), _WHAT, passphrase)
        except ConfigError as error:
            raise ConfigError(str(error).replace(file.name, str(path))) from None


def _write_tar(sink: _Summed | _Encrypted, entries: Iterable[Entry]) -> None:
    with (
        gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=6, mtime=0) as packed,  # type: ignore[call-overload]  # it only writes
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for entry in entries:
            with entry.source.open("rb") as content:
                member = tarfile.TarInfo(entry.name)
                member.size = os.fstat(content.fileno()).st_size
                member.mode = entry.mode
                archive.addfile(member, content)


def _write_file(target: Path, content: IO[bytes], mode: int) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while part := content.read(_CHUNK):
            file.write(part)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())


class _Summed:
    """Writes through, with a running SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._sum.update(data)
        return self._file.write(data)

    def digest(self) -> bytes:
        return self._sum.digest()


class _Encrypted:
    """Chunks: length of the ciphertext, ciphertext. `finish` writes the last one."""

    def __init__(self, sink: _Summed, key: bytes, head: bytes) -> None:
        self._sink = sink
        self._cipher = AESGCM(key)
        self._head = head
        self._number = 0
        self._kept = bytearray()

    def write(self, data: bytes) -> int:
        self._kept += data
        while len(self._kept) > _CHUNK:
            self._chunk(bytes(self._kept[:_CHUNK]), is_last=False)
            del self._kept[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        self._chunk(bytes(self._kept), is_last=True)

    def _chunk(self, data: bytes, is_last: bool) -> None:
        nonce, bound = _chunk_data(self._number, is_last, self._head)
        sealed = self._cipher.encrypt(nonce, data, bound)
        self._sink.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


class _Decrypted(io.RawIOBase):
    """The plain text of such chunks. Raises InvalidTag, struct.error, ValueError."""

    def __init__(self, source: BinaryIO, key: bytes, head: bytes) -> None:
        self._source = source
        self._cipher = AESGCM(key)
        self._head = head
        self._number = 0
        self._next = self._sealed()
        self._plain = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._plain and self._next:
            sealed, self._next = self._next, self._sealed()
            nonce, bound = _chunk_data(self._number, not self._next, self._head)
            self._plain = self._cipher.decrypt(nonce, sealed, bound)
            self._number += 1
        part = self._plain[: len(buffer)]
        buffer[: len(part)] = part
        self._plain = self._plain[len(part) :]
        return len(part)

    def _sealed(self) -> bytes:
        length = self._source.read(_LENGTH.size)
        if not length:
            return b""
        (size,) = _LENGTH.unpack(length)
        if not _TAG <= size <= _CHUNK + _TAG:
            raise ValueError("not a chunk")
        return self._source.read(size)


class _Part(io.RawIOBase):
    """A file from its present position up to `end`."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file = file
        self._left = end - file.seek(0, os.SEEK_CUR)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._file.read(min(len(buffer), self._left))
        buffer[: len(part)] = part
        self._left -= len(part)
        return len(part)


def _chunk_data(number: int, is_last: bool, head: bytes) -> tuple[bytes, bytes]:
    """Nonce and additional data. The key is of one file, so the number never repeats under it."""
    return number.to_bytes(12, "big"), bytes([is_last]) + hashlib.sha256(head).digest()
