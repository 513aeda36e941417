# SPDX-License-Identifier: MIT
"""MicroPython for each board: a release checked by hash, from a file, cache or publisher."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.flash.boards import BoardKind
from tools.micropython import cache_dir

# Where micropython.org publishes firmware; fetched only when `flash` needs it.
SOURCE = "https://micropython.org/resources/firmware/"
_TIMEOUT_S = 30
_PART = 64 * 1024
_MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Image:
    """A MicroPython image; `release` is empty when its hash is not one we know."""

    path: Path
    sha256: str
    release: str


def given(kind: BoardKind, path: Path) -> Image:
    """An image that the user names and this kind of board accepts. Raises UserError."""
    try:
        size = path.stat().st_size
        if not 0 < size <= _MAX_BYTES:
            raise UserError(f"{path} has {size} bytes: no MicroPython image")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the image {path}: {error.strerror}") from None
    kind.check_image(path, data)
    digest = hashlib.sha256(data).hexdigest()
    return Image(path, digest, kind.release if digest == kind.image_sha256 else "")


def check_pinned(kind: BoardKind) -> None:
    """Raises UserError when the image of this kind of board is not known by its hash."""
    if kind.image_sha256 is None:
        raise UserError(
            f"no SHA-256 of {kind.image_name} is known, so it is not fetched: get it from "
            "https://micropython.org/download and name it with --image"
        )


def pinned(
    kind: BoardKind,
    progress: Callable[[int], None],
    source: str = SOURCE,
    cache: Path | None = None,
) -> Image:
    """The release that this firmware is built for, from the cache or fetched. Raises UserError."""
    check_pinned(kind)
    assert kind.image_sha256 is not None
    folder = cache or cache_dir()
    path = folder / kind.image_name
    if path.is_file():
        found = given(kind, path)
        if found.release:
            return found
        raise UserError(f"{path} is not the published image: remove it and try again")
    _fetch(source + kind.image_name, path, kind.image_sha256, progress)
    return given(kind, path)


def _fetch(url: str, path: Path, sha256: str, progress: Callable[[int], None]) -> None:
    """Store the image in the cache, complete and checked, or not at all."""
    digest, size = hashlib.sha256(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.") as file:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                while part := answer.read(_PART):
                    size += len(part)
                    if size > _MAX_BYTES:
                        raise UserError(f"{url} is longer than {_MAX_BYTES} bytes: no image")
                    digest.update(part)
                    file.write(part)
                    progress(len(part))
            if digest.hexdigest() != sha256:
                raise UserError(f"{url} is not the image we know (SHA-256 differs): not used")
            file.flush()
            os.fsync(file.fileno())
            os.link(file.name, path)
    except (OSError, urllib.error.URLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"cannot fetch {url}: {reason}; fetch it elsewhere and name it with --image"
        ) from None
