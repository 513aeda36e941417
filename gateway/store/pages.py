# SPDX-License-Identifier: MIT
"""The store: rows read from the pages of a SQLite file one by one, whatever became of the others.

A row of a table is in a leaf page, and a long one goes on in a chain of overflow pages
(https://www.sqlite.org/fileformat2.html). Pages of the write-ahead log replace those of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

_LEAF = 13  # the kind of a page that holds rows of a table
_FILE_HEADER, _PAGE_HEADER, _WAL_HEADER, _FRAME_HEADER = 100, 8, 32, 24
_DEFAULT_SIZE = 4096
_SIZES = {1 << bits for bits in range(9, 17)}
_MAX_VALUES = 32  # columns of a row; no table of ours has more
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of an integer by its serial type

StoredRow = tuple[int, tuple[Any, ...]]  # its number, its values


class Pages:
    """Pages of a file by number, from 1. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = _mapped(path)
        self.size = _page_size(self._file)
        self._newer = _frames(path.with_name(path.name + "-wal"), self.size)

    def rows(self) -> Iterator[StoredRow]:
        """All that can be read, of any table."""
        last = max([len(self._file) // self.size, *self._newer])
        for number in range(1, last + 1):
            yield from self._leaf(number)

    def page(self, number: int) -> bytes:
        """One page; empty when it is not there."""
        start = (number - 1) * self.size
        return self._newer.get(number) or self._file[start : start + self.size]

    def _leaf(self, number: int) -> Iterator[StoredRow]:
        page = self.page(number)
        at = _FILE_HEADER if number == 1 else 0
        if len(page) < self.size or page[at] != _LEAF:
            return
        (cells,) = struct.unpack_from(">H", page, at + 3)
        for cell in range(cells):
            try:
                (start,) = struct.unpack_from(">H", page, at + _PAGE_HEADER + 2 * cell)
                yield self._row(page, start)
            except (IndexError, ValueError, struct.error):
                continue  # a cell that the damage made into something else

    def _row(self, page: bytes, start: int) -> StoredRow:
        size, start = _varint(page, start)
        number, start = _varint(page, start)
        most = self.size - 35
        if size <= most:
            return _signed(number), _values(page[start : start + size], size)
        least = (self.size - 12) * 32 // 255 - 23
        local = least + (size - least) % (self.size - 4)
        local = local if local <= most else least
        record = bytearray(page[start : start + local])
        (beyond,) = struct.unpack_from(">I", page, start + local)
        while beyond and len(record) < size:
            part = self.page(beyond)
            (beyond,) = struct.unpack_from(">I", part)
            record += part[4:]
        return _signed(number), _values(bytes(record[:size]), size)


def _mapped(path: Path) -> mmap | bytes:
    """The bytes of a file, which may be larger than memory."""
    with path.open("rb") as file:
        try:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError:
            return b""  # an empty file


def _page_size(file: mmap | bytes) -> int:
    if file[:16] != b"SQLite format 3\0" or len(file) < _FILE_HEADER:
        return _DEFAULT_SIZE
    (size,) = struct.unpack_from(">H", file, 16)
    size = 1 << 16 if size == 1 else size
    return size if size in _SIZES else _DEFAULT_SIZE


def _frames(path: Path, size: int) -> dict[int, bytes]:
    """The newest frame of each page that belongs to the log's present turn."""
    log = _mapped(path) if path.is_file() else b""
    found = {}
    for at in range(_WAL_HEADER, len(log) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        if log[at + 8 : at + 16] == log[16:24]:
            (number,) = struct.unpack_from(">I", log, at)
            found[number] = log[at + _FRAME_HEADER : at + _FRAME_HEADER + size]
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, where it ends)"""
    value = 0
    for number in range(8):
        byte = data[at + number]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + number + 1
    return value << 8 | data[at + 8], at + 9


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _values(record: bytes, size: int) -> tuple[Any, ...]:
    """Values of a record. Raises ValueError and IndexError for what is none."""
    if len(record) != size:
        raise ValueError("cut")
    end, at = _varint(record, 0)
    types: list[int] = []
    while at < end and len(types) < _MAX_VALUES:
        kind, at = _varint(record, at)
        types.append(kind)
    values: list[Any] = []
    at = end
    for kind in types:
        length = _length(kind)
        data = record[at : at + length]
        if len(data) < length:
            raise ValueError("cut")
        values.append(_value(kind, data))
        at += length
    if at != size:
        raise ValueError("not a record")
    return tuple(values)


def _length(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    return 8 if kind == 7 else _INTEGERS.get(kind, 0)


def _value(kind: int, data: bytes) -> Any:
    if kind >= 12:
        return data.decode() if kind % 2 else data
    if kind in _INTEGERS:
        return int.from_bytes(data, "big", signed=True)
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind]
    raise ValueError("no value of ours")
