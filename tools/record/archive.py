# SPDX-License-Identifier: MIT
"""Record: a data set as one archive, .tar.gz or .zip, and a strict reader of such archives.

An archive from another party is not trusted: plain files only, names inside it only, and no more
files and bytes than a set can have. Nothing is written to the disk before this is checked.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from tools.errors import UserError

TAR, ZIP = ".tar.gz", ".zip"
FILES_MAX = 20_000
FILE_BYTES_MAX = 1 << 28
BYTES_MAX = 1 << 32
_NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,79}/){0,2}[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")
_READ = 1 << 20
_BLOCK = tarfile.BLOCKSIZE


def kind_of(path: Path) -> str:
    """TAR or ZIP, by the name. Raises UserError."""
    for kind in (TAR, ZIP):
        if path.name.endswith(kind):
            return kind
    raise UserError(f"{path}: the name must end in {TAR} or {ZIP}")


def write(path: Path, files: Mapping[str, bytes | Path]) -> None:
    """Write the archive, the same bytes for the same files. Raises UserError."""
    kind = kind_of(path)
    part = path.with_name(path.name + ".part")
    try:
        if kind == TAR:
            _write_tar(part, files)
        else:
            _write_zip(part, files)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None


def read(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file. Raises UserError for anything that no set has."""
    kind = kind_of(path)
    try:
        yield from _bounded(path, _read_tar(path) if kind == TAR else _read_zip(path))
    except gzip.BadGzipFile as error:
        raise UserError(f"{path}: damaged or no archive ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (
        *(tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError),
        *(NotImplementedError, RuntimeError, ValueError),
    ) as error:
        raise UserError(f"{path}: damaged or no archive ({error})") from None


def _bounded(path: Path, files: Iterator[tuple[str, int, bytes]]) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    total = 0
    for name, size, data in files:
        if name.casefold() in seen:
            raise UserError(f"{path}: {name} is in it twice")
        seen.add(name.casefold())
        total += size
        if len(seen) > FILES_MAX or total > BYTES_MAX:
            raise UserError(f"{path}: more than {FILES_MAX} files or {BYTES_MAX >> 30} GiB")
        yield name, data


def _checked(path: Path, name: str, size: int) -> None:
    if not _NAME.fullmatch(name):
        raise UserError(f"{path}: {ascii(name)[:100]} is no file name of a data set")
    if not 0 <= size <= FILE_BYTES_MAX:
        raise UserError(f"{path}: {name} is larger than {FILE_BYTES_MAX >> 20} MiB")


def _read_tar(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Header by header: tarfile itself reads extended headers of any length into memory."""
    with gzip.open(path) as file:
        while (head := file.read(_BLOCK)) and head.strip(b"\0"):
            member = tarfile.TarInfo.frombuf(head, "ascii", "strict")
            if member.isdir() and member.size == 0:
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise UserError(f"{path}: {ascii(member.name)[:100]} is no plain file")
            _checked(path, member.name, member.size)
            data = file.read(member.size)
            if len(data) != member.size:
                raise UserError(f"{path}: ends within {member.name}")
            file.read(-member.size % _BLOCK)
            yield member.name, member.size, data


def _read_zip(path: Path) -> Iterator[tuple[str, int, bytes]]:
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > FILES_MAX:
            raise UserError(f"{path}: more than {FILES_MAX} files")
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.external_attr >> 28 not in (0, 8):  # a link or a device in its Unix mode
                raise UserError(f"{path}: {ascii(member.filename)[:100]} is no plain file")
            _checked(path, member.filename, member.file_size)
            with archive.open(member) as file:
                data = _whole(path, member.filename, file, member.file_size)
            yield member.filename, member.file_size, data


def _whole(path: Path, name: str, file: IO[bytes], size: int) -> bytes:
    """As many bytes as the header states, and no more."""
    data = bytearray()
    while part := file.read(_READ):
        data += part
        if len(data) > size:
            break
    if len(data) != size:
        raise UserError(f"{path}: {name} does not have the length that its header states")
    return bytes(data)


def _write_tar(path: Path, files: Mapping[str, bytes | Path]) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            data = _data(files[name])
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))


def _write_zip(path: Path, files: Mapping[str, bytes | Path]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, _data(files[name]))


def _data(given: bytes | Path) -> bytes:
    return given if isinstance(given, bytes) else given.read_bytes()
