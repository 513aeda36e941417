# SPDX-License-Identifier: MIT
"""Bundle: writes the exact file tree for the filesystem of one node."""

from __future__ import annotations

import json
import re
import tempfile
from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import click
from msgspec import Meta, Struct

from gateway import keys
from gateway.commands.options import PATH, json_option
from gateway.config.fields import (
    FileName,
    Link,
    Port,
    form,
    identifier_meta,
    load_public_key,
)
from gateway.config.network import Country, NodeHost, Passphrase, Ssid
from gateway.config.reading import read_toml
from gateway.errors import ConfigError
from gateway.keysafe import open_root
from gateway.model.place.site import SERIAL, WIFI
from gateway.updates import package
from tools.commands.options import architecture_option
from tools.compiled import mpy_for
from tools.errors import UserError
from tools.image import FIRMWARE, Image, boards, compiled_files, make_image
from tools.node_images import NodeImages, installed

_KEY_WANTS = "must give 64 hexadecimal digits"
_Place = Annotated[
    float,
    Meta(
        ge=-100_000,
        le=100_000,
        examples=[12.5],
        description="Metres from the site's origin.",
        extra={"wants": "must be within 100 km of the site's origin, in metres"},
    ),
]
# The files at the top of a node's filesystem, beside node.json and state/. All are firmware. The
# slots are empty: the first image is in use, and no update has been committed (firmware/slots.py).
# MicroPython runs the first two by name, from source; the others are compiled.
_FIXED = {
    "boot.py": "boot.py",
    "main.py": "main.py",
    "guard.mpy": "boards/guard.py",
    "inplace.mpy": "boards/inplace.py",
    "package.mpy": "package.py",
    "slots.mpy": "slots.py",
}
# A second copy of all but the first. The first replaces a damaged file by its copy.
_COPY = "root.copy"
# The copy of node.json. The node writes it (firmware/ugs/ratchet.py) when it finds it empty.
NODE_COPY = "node.copy"
TREE, _SPARE, SAFE_MODE = "a.fw", "b.fw", "safe_mode.fw"
# Files of earlier versions that flashing removes: the safe-mode image under another name, and
# sources, which MicroPython would load instead of the compiled files.
_FORMER = ("rescue.fw", "guard.py", "pack.py", "pack.mpy", "slots.py")
OWNED = (*_FIXED, _COPY, NODE_COPY, "slot0", "slot1", TREE, _SPARE, SAFE_MODE, *_FORMER)


@dataclass(frozen=True)
class NodeConfig:
    """Configuration of one node; `write_tree` writes it as files. A serial link has no network.

    `key` is the 32-byte node key and stays out of reprs. It is empty for a node that keeps its
    rotated key; `release` the public key of firmware releases, without which the node takes no
    updates. `x_m`, `y_m` are metres east and north. `address` is the present address of `host`,
    which the node tries before a name server; `country` two letters for its radio.
    """

    site: str
    node: str
    board: str
    key: bytes = field(repr=False)
    ssid: str
    passphrase: str = field(repr=False)
    host: str
    port: int
    x_m: float
    y_m: float
    pir: bool = True
    release: bytes | None = None
    link: str = WIFI
    country: str = ""
    address: str = ""

    def as_json(self) -> str:
        """The text of node.json, as firmware/ugs/config.py reads it."""
        table: dict[str, object] = {
            "site": self.site,
            "node": self.node,
            "board": self.board,
        }
        if self.key:
            table["key"] = self.key.hex()
        if self.link == SERIAL:
            table["link"] = self.link
        else:
            wifi = {"ssid": self.ssid, "passphrase": self.passphrase}
            table["wifi"] = wifi | ({"country": self.country} if self.country else {})
            broker: dict[str, str | int] = {"host": self.host, "port": self.port}
            table["broker"] = broker | ({"address": self.address} if self.address else {})
        table |= {"x_m": self.x_m, "y_m": self.y_m, "pir": self.pir}
        if self.release is not None:
            table["release"] = self.release.hex()
        return json.dumps(table, indent=1) + "\n"


def load_config(path: Path, board: str | None = None) -> NodeConfig:
    """Read node.toml strictly. `board` overrides an absent [node] board.

    Raises UserError with one line that names the key and shows a valid value.
    """
    try:
        config = _parse(path, board)
    except ConfigError as error:
        raise UserError(str(error)) from None
    if config.board not in boards():
        raise UserError(f"no board {config.board}; there are {', '.join(boards())}")
    if board is not None and config.board != board:
        raise UserError(f"{path}: node.board is {config.board}, but --board is {board}")
    return config


def _is_key(written: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{64}", written) is not None


class _Node(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[node]; its key is made from `fleet_key`, or given as `key_file` or `key`."""

    site: Annotated[str, identifier_meta("north")]
    id: Annotated[str, identifier_meta("n07")]
    board: Annotated[str, identifier_meta("pico_w")] | None = None
    key: Annotated[str, form(_is_key, _KEY_WANTS, "64 hexadecimal digits")] | None = None
    key_file: Annotated[FileName, Meta(examples=["n07.key"])] | None = None
    fleet_key: Annotated[FileName, Meta(examples=["fleet.key"])] | None = None
    x_m: _Place
    y_m: _Place
    pir: bool = True
    release_key: Annotated[FileName, Meta(examples=["release.pub"])] | None = None
    link: Link = "wifi"

    def __post_init__(self) -> None:
        if sum(key is not None for key in (self.key, self.key_file, self.fleet_key)) != 1:
            raise ValueError(
                'fleet_key or key_file or key is needed, one, e.g. fleet_key = "fleet.key"'
            )


class _Wifi(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ssid: Ssid
    passphrase: Passphrase | None = None
    country: Country | None = None


class _Broker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: NodeHost
    port: Port = 1883


class NodeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """node.toml."""

    node: _Node
    wifi: _Wifi | None = None
    broker: _Broker | None = None

    def __post_init__(self) -> None:
        if self.node.link == SERIAL and (self.wifi or self.broker):
            raise ValueError(
                'node.link on a wire needs neither [wifi] nor [broker], e.g. link = "serial"'
            )
        for name in ("wifi", "broker"):
            if self.node.link == WIFI and getattr(self, name) is None:
                raise ValueError(f"{name} is missing, e.g. [{name}]")


def _parse(path: Path, board: str | None) -> NodeConfig:
    file = read_toml(path, NodeFile)
    node, wifi, broker = file.node, file.wifi, file.broker
    return NodeConfig(
        site=node.site,
        node=node.id,
        board=node.board or board or _no_board(path),
        key=_node_key(node, path),
        ssid=wifi.ssid if wifi else "",
        passphrase=(wifi and wifi.passphrase) or "",
        host=broker.host if broker else "",
        port=broker.port if broker else 1883,
        x_m=node.x_m,
        y_m=node.y_m,
        pir=node.pir,
        release=_release_key(node, path),
        link=node.link,
        country=(wifi and wifi.country) or "",
    )


def _no_board(path: Path) -> str:
    raise ConfigError(f'{path}: node.board is missing, e.g. board = "pico_w"')


def _release_key(node: _Node, path: Path) -> bytes | None:
    return None if node.release_key is None else load_public_key(path.parent / node.release_key)


def _node_key(node: _Node, path: Path) -> bytes:
    if node.fleet_key is not None:
        root = open_root(path.parent / node.fleet_key)
        return keys.node_key(root, node.site, node.id)
    if node.key is not None:
        return bytes.fromhex(node.key)
    digits = _key_digits(path.parent / (node.key_file or ""))
    if not _is_key(digits):
        # The digits themselves are never shown: messages end up in logs.
        raise ConfigError(f'{path}: node.key_file {_KEY_WANTS}, e.g. fleet_key = "fleet.key"')
    return bytes.fromhex(digits)


def _key_digits(path: Path) -> str:
    try:
        return path.read_bytes()[:200].decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"cannot read the node key {path}: {error.strerror}") from None


def write_tree(
    config: NodeConfig, out: Path, mpy: int = 0, images: NodeImages | None = None
) -> list[Path]:
    """Write all files of a node into `out`; return their paths there.

    `mpy` is the MicroPython that will load them (tools.compiled); 0 is the board's own. They are
    taken from `images` where that has this board for it, else compiled from the sources.
    `out` must be absent, empty, or a former bundle, whose files are replaced while whatever the
    node has written beside them (state/) stays. Raises UserError.
    """
    mpy = mpy or mpy_for(config.board)
    ready = images.of(config.board, mpy) if images else None
    files = ready or node_files(config.board, mpy)
    try:
        _check_former(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        # Whole beside it first: a full disk leaves a former bundle as it is.
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
            beside = Path(name)
            _lay_out(beside, files, config.as_json())
            _put_in_place(beside, out)
    except OSError as error:
        raise UserError(f"cannot write {error.filename or out}: {error.strerror}") from None
    return sorted(Path(name) for name in (*OWNED, "node.json") if name not in (_SPARE, *_FORMER))


def node_files(board: str, mpy: int) -> dict[str, bytes]:
    """The firmware of a node by its paths there, compiled from the sources. Raises UserError."""
    image, fixed = make_image(board, mpy), _fixed(mpy)
    trees = {TREE: unsigned(image), SAFE_MODE: unsigned(image.safe_mode())}
    copied = {name: data for name, data in fixed.items() if name != "boot.py"}
    return {**fixed, _COPY: copy_of(copied), **trees}


def _fixed(mpy: int) -> dict[str, bytes]:
    """Files at the top of the file system, compiled for the MicroPython `mpy`."""
    sources = {name: (FIRMWARE / source).read_bytes() for name, source in _FIXED.items()}
    plain = {name: data for name, data in sources.items() if name.endswith(".py")}
    others = {name.replace(".mpy", ".py"): sources[name] for name in sources.keys() - plain.keys()}
    return compiled_files(others, mpy) | plain


def copy_of(files: Mapping[str, bytes]) -> bytes:
    """As boot.py reads it: lines of name, size and CRC-32, each before the file's bytes. The CRC
    goes on from that of name and size."""
    out = b""
    for name, data in sorted(files.items()):
        head = f"{name} {len(data)}".encode()
        out += b"%s %d\n" % (head, crc32(data, crc32(head))) + data
    return out


def unsigned(image: Image) -> bytes:
    """An image for the cable: no node accepts it over the air."""
    return package.unsigned(image.board, image.version, image.mpy, image.files)


def signer(images: NodeImages | None, board: str, mpy: int) -> str | None:
    """Whose signature the files of a node have; None when they were compiled here."""
    return images.signer if images and images.of(board, mpy) else None


def _lay_out(folder: Path, files: Mapping[str, bytes], node: str) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for name in (NODE_COPY, "slot0", "slot1"):
        (folder / name).touch()
    node_json = folder / "node.json"
    node_json.touch(mode=0o600)
    node_json.write_text(node)


def _put_in_place(beside: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    for name in (*OWNED, "node.json"):
        (out / name).unlink(missing_ok=True)
    for path in beside.iterdir():
        path.replace(out / path.name)


def _check_former(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder for the bundle")
    if not any(out.iterdir()):
        return
    if not all((out / name).exists() for name in (*_FIXED, "node.json", TREE)):
        raise UserError(f"{out} is not empty and not a former bundle; name another folder")


@click.command()
@click.option("--board", type=click.Choice(boards()), help="its board")
@click.option("--config", required=True, type=PATH, help="the node's node.toml")
@click.option("--out", required=True, type=PATH, help="the folder to write")
@architecture_option
@click.option("--image-key", type=PATH, help="the public key that node images must be signed by")
@json_option("print what was written as JSON")
def bundle(
    board: str | None,
    config: Path,
    out: Path,
    architecture: str | None,
    image_key: Path | None,
    as_json: bool,
) -> None:
    """The bundle is in the folder; nothing of its keys is printed."""
    node = load_config(config, board)
    images, mpy = installed(image_key), mpy_for(node.board, architecture)
    files = write_tree(node, out, mpy, images)
    size = sum((out / path).stat().st_size for path in files)
    if as_json:
        facts = {
            "node": node.node,
            "site": node.site,
            "board": node.board,
            "out": str(out),
            "files": [path.as_posix() for path in files],
            "bytes": size,
            "signed_by": signer(images, node.board, mpy),
        }
        print(json.dumps(facts))
    else:
        print(f"wrote {len(files)} files, {size} bytes, for node {node.node} to {out}")
