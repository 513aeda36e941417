# SPDX-License-Identifier: MIT
"""Node images of an installation: compiled for each board and signed when it was released.

A signed wheel has firmware/images/: per board and architecture the files that a node gets over the
cable but node.json, a manifest with the SHA-256 of each and of every source of the firmware, and
an Ed25519 signature of the manifest. A checkout and an unsigned wheel have no such folder: there
the same files are compiled from the sources (tools/bundle.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.config.fields import load_public_key
from tools.compiled import architecture_of
from tools.errors import UserError
from tools.image import FIRMWARE

FOLDER = "images"  # below the firmware
MANIFEST, SIGNATURE, PUBLIC = "manifest", "manifest.sig", "release.pub"
_FIRST = "groundwatch node images 1"
_LINE = re.compile(r"([0-9a-f]{64}) ((?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_]+\.[a-z0-9]+)")
_SOURCES = (".py", ".bin")


@dataclass(frozen=True)
class NodeImages:
    """Verified images. `signer` is the start of the SHA-256 of the public key, in hex."""

    version: str
    signer: str
    _files: Mapping[str, bytes] = field(repr=False)

    def of(self, board: str, mpy: int) -> dict[str, bytes] | None:
        """The files of a node by their names on it, but node.json; None: none for this MicroPython.

        `mpy` is the number of the MicroPython that loads them (tools.compiled).
        """
        start = f"{FOLDER}/{name_of(board, mpy)}/"
        found = {
            path.removeprefix(start): data
            for path, data in self._files.items()
            if path.startswith(start)
        }
        return found or None


def name_of(board: str, mpy: int) -> str:
    """The name of the folder of an image."""
    return f"{board}-{architecture_of(mpy)}"


def signer_of(public: bytes) -> str:
    """What is shown of a public key."""
    return sha256(public).hexdigest()[:16]


def installed(key: Path | None = None, firmware: Path = FIRMWARE) -> NodeImages | None:
    """The signed images of this installation, its whole firmware checked; None: it has none.

    `key` names a public key that they must be signed by. Without it the key that came with them is
    taken: then damage is detected, but not another signer. Raises UserError, ConfigError.
    """
    folder = firmware / FOLDER
    if not (folder / MANIFEST).exists():
        if key is not None:
            raise UserError(f"this installation has no signed node images to check with {key}")
        return None
    manifest = _read(folder / MANIFEST)
    public = load_public_key(folder / PUBLIC)
    if key is not None and load_public_key(key) != public:
        raise UserError(
            f"the node images are signed by another key ({signer_of(public)}) than {key}"
        )
    try:
        signature = bytes.fromhex(_read(folder / SIGNATURE).decode("ascii").strip())
        Ed25519PublicKey.from_public_bytes(public).verify(signature, manifest)
    except (InvalidSignature, ValueError):
        raise UserError(f"{folder / MANIFEST}: its signature is not valid: not used") from None
    version, digests = _parsed(manifest, folder / MANIFEST)
    return NodeImages(version, signer_of(public), _checked(firmware, digests))


def write_images(
    firmware: Path,
    version: str,
    images: Mapping[tuple[str, int], Mapping[str, bytes]],
    key: Ed25519PrivateKey,
) -> None:
    """Write images by board and MicroPython into a firmware folder, and sign it. Raises OSError."""
    folder = firmware / FOLDER
    for (board, mpy), files in images.items():
        for name, data in files.items():
            path = folder / name_of(board, mpy) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    lines = [_FIRST, f"version {version}"]
    for path in sorted((*_sources(firmware), *_images(folder))):
        digest = sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest} {path.relative_to(firmware).as_posix()}")
    manifest = "".join(f"{line}\n" for line in lines).encode()
    (folder / MANIFEST).write_bytes(manifest)
    (folder / SIGNATURE).write_text(key.sign(manifest).hex() + "\n")
    (folder / PUBLIC).write_text(key.public_key().public_bytes_raw().hex() + "\n")


def _checked(firmware: Path, digests: Mapping[str, str]) -> dict[str, bytes]:
    """Files that the manifest names; no file of the firmware may be in it without being named."""
    there = {*_sources(firmware), *_images(firmware / FOLDER)}
    extra = sorted(
        name for path in there if (name := path.relative_to(firmware).as_posix()) not in digests
    )
    if extra:
        raise UserError(f"{firmware / extra[0]} is not in the signed manifest: remove it")
    found = {name: _read(firmware / name) for name in digests}
    for name, data in found.items():
        if sha256(data).hexdigest() != digests[name]:
            raise UserError(f"{firmware / name} is not what was signed: install this version again")
    return found


def _sources(firmware: Path) -> Iterable[Path]:
    return (
        path
        for path in firmware.rglob("*")
        if path.suffix in _SOURCES and path.relative_to(firmware).parts[0] != FOLDER
    )


def _images(folder: Path) -> Iterable[Path]:
    return (path for path in folder.glob("*/*") if path.is_file())


def _parsed(manifest: bytes, path: Path) -> tuple[str, dict[str, str]]:
    """Version, and SHA-256 by path."""
    first, version, *rest = [*manifest.decode("utf-8", "replace").splitlines(), "", ""]
    lines = [_LINE.fullmatch(line) for line in rest if line]
    if first != _FIRST or not version.startswith("version ") or not all(lines):
        raise UserError(f"{path} is of another version of Groundwatch")
    return version.removeprefix("version "), {line[2]: line[1] for line in lines if line}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
