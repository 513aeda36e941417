# SPDX-License-Identifier: MIT
"""Bundle: writes the exact file tree for the filesystem of one node."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

from gateway import keys
from gateway.errors import ConfigError
from gateway.keysafe import open_root
from gateway.model.site import LINKS, SERIAL, WIFI
from gateway.toml_table import Table, load
from gateway.updates import package
from tools.errors import UserError
from tools.uncommented import uncommented

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
TREE_SUFFIXES = (".py", ".bin")
VERSION_FILE = "ugs/version.py"
VERSION_LINE = re.compile(r'^FIRMWARE = "([^"]*)"$', re.MULTILINE)
_KEY_PATTERN = re.compile(r"[0-9a-fA-F]{64}")
# What is at the top of a node's filesystem beside node.json and state/: all of it is firmware. The
# slots are empty: the first tree is in use, and no update has been committed (firmware/slots.py).
_FIXED = {
    "boot.py": "boot.py",
    "guard.py": "boards/guard.py",
    "main.py": "main.py",
    "pack.py": "pack.py",
    "slots.py": "slots.py",
}
TREE, _SPARE, RESCUE = "a.fw", "b.fw", "rescue.fw"
OWNED = (*_FIXED, "slot0", "slot1", TREE, _SPARE, RESCUE)
# What a node has to have to take an update when both of its trees are bad.
_RESCUE_PARTS = re.compile(
    r"boards/.*|ugs/(wire|link|ledger|drivers|update)/.*"
    r"|ugs/(__init__|clock|config|ratchet|rescue|tasks|version)\.py"
)


@dataclass(frozen=True)
class NodeConfig:
    """What one node is told; `write_tree` turns it into files. On a wire it is told no network.

    `key` is the 32-byte node key and stays out of reprs, empty for a node that keeps what has come
    of its own; `release` the public key of firmware releases, without which the node takes no
    updates. `x_m`, `y_m` are metres east and north.
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
            table["wifi"] = {"ssid": self.ssid, "passphrase": self.passphrase}
            table["broker"] = {"host": self.host, "port": self.port}
        table |= {"x_m": self.x_m, "y_m": self.y_m, "pir": self.pir}
        if self.release is not None:
            table["release"] = self.release.hex()
        return json.dumps(table, indent=1) + "\n"


def boards() -> list[str]:
    """The names of the boards there is firmware for."""
    return sorted(path.parent.name for path in (FIRMWARE / "boards").glob("*/board.py"))


def load_config(path: Path, board: str | None = None) -> NodeConfig:
    """Read node.toml strictly. `board` overrides an absent [node] board.

    Raises UserError with one line that names the key and shows what would be right.
    """
    try:
        config = _parse(path, board)
    except ConfigError as error:
        raise UserError(str(error)) from None
    if config.board not in boards():
        raise UserError(f"no board {config.board}; there are {', '.join(boards())}")
    if board is not None and config.board != board:
        raise UserError(f"{path}: node.board is {config.board}, but --board says {board}")
    return config


def _parse(path: Path, board: str | None) -> NodeConfig:
    root = load(path)
    node = root.table("node", required=True)
    link = node.choice("link", LINKS, WIFI)
    is_wired = link == SERIAL
    if is_wired and (root.has("wifi") or root.has("broker")):
        raise node.fail("link", "on a wire needs neither [wifi] nor [broker]", 'link = "serial"')
    wifi, broker = (root.table(name, required=not is_wired) for name in ("wifi", "broker"))
    root.done()
    site = node.identifier("site", "north")
    name = node.identifier("id", "n07")
    config = NodeConfig(
        site=site,
        node=name,
        board=node.identifier("board", "pico_w") if node.has("board") or not board else board,
        key=_node_key(node, path, site, name),
        ssid="" if is_wired else _bounded(wifi, "ssid", "groundwatch", 32),
        passphrase=_passphrase(wifi),
        host="" if is_wired else _bounded(broker, "host", "192.168.4.1", 64),
        port=broker.integer("port", 1, 65535, 1883, default=1883),
        x_m=_metres(node, "x_m"),
        y_m=_metres(node, "y_m"),
        pir=node.boolean("pir", default=True),
        release=_release_key(node, path),
        link=link,
    )
    for table in (node, wifi, broker):
        table.done()
    return config


def _metres(table: Table, key: str) -> float:
    value = table.number(key, 12.5)
    if abs(value) > 100_000:
        raise table.fail(key, "must be within 100 km of the site's origin", f"{key} = 12.5")
    return value


def _bounded(table: Table, key: str, example: str, size_max: int) -> str:
    value = table.text(key, example)
    if len(value.encode()) > size_max:
        raise table.fail(key, f"must have at most {size_max} bytes", f'{key} = "{example}"')
    return value


def _passphrase(wifi: Table) -> str:
    # IEEE 802.11-2020 annex J.4: 8 to 63 printable ASCII characters; none for an open network.
    value = wifi.optional_text("passphrase", "correct horse battery") or ""
    if value and not re.fullmatch(r"[ -~]{8,63}", value):
        raise wifi.fail(
            "passphrase", "must have 8 to 63 plain characters", 'passphrase = "correct horse"'
        )
    return value


def _node_key(node: Table, path: Path, site: str, name: str) -> bytes:
    given = [key for key in ("key", "key_file", "fleet_key") if node.has(key)]
    if len(given) != 1:
        raise node.fail("fleet_key", "or key_file or key is needed, one", 'fleet_key = "fleet.key"')
    if given == ["fleet_key"]:
        root = open_root(path.parent / node.text("fleet_key", "fleet.key"))
        return keys.node_key(root, site, name)
    if given == ["key_file"]:
        digits = _key_digits(path.parent / node.text("key_file", "n07.key"))
    else:
        digits = node.text("key", "64 hexadecimal digits")
    if not _KEY_PATTERN.fullmatch(digits):
        # The digits themselves are never shown: messages end up in logs.
        raise node.fail(given[0], "must give 64 hexadecimal digits", 'fleet_key = "fleet.key"')
    return bytes.fromhex(digits)


def _release_key(node: Table, path: Path) -> bytes | None:
    if not node.has("release_key"):
        return None
    name = node.text("release_key", "release.pub")
    return package.load_public_key(path.parent / name)


def _key_digits(path: Path) -> str:
    try:
        return path.read_bytes()[:200].decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"cannot read the node key {path}: {error.strerror}") from None


def write_tree(config: NodeConfig, out: Path) -> list[Path]:
    """Write all files of a node into `out`; return their paths there.

    `out` must be absent, empty, or a former bundle, whose files are replaced while whatever the
    node has written beside them (state/) stays. Raises UserError.
    """
    tree = read_tree(config.board)
    rescue = {name: data for name, data in tree.items() if _RESCUE_PARTS.fullmatch(name)}
    version = firmware_version(tree)
    try:
        _clear(out)
        for name, source in _FIXED.items():
            shutil.copyfile(FIRMWARE / source, out / name)
        for name, files in ((TREE, tree), (RESCUE, rescue)):
            (out / name).write_bytes(package.unsigned(config.board, version, files))
        for name in ("slot0", "slot1"):
            (out / name).touch()
        node_json = out / "node.json"
        node_json.touch(mode=0o600)
        node_json.write_text(config.as_json())
    except OSError as error:
        raise UserError(f"cannot write {error.filename or out}: {error.strerror}") from None
    return sorted(Path(name) for name in (*OWNED, "node.json") if name != _SPARE)


def read_tree(board: str, firmware: Path = FIRMWARE) -> dict[str, bytes]:
    """The files of the tree of a board by their paths, as they travel. Raises UserError."""
    return {path.as_posix(): _as_sent(firmware / path) for path in tree_files(board, firmware)}


def _as_sent(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return uncommented(data) if path.suffix == ".py" else data
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, SyntaxError, tokenize.TokenError) as error:
        raise UserError(f"{path} is no Python that a node could run: {error}") from None


def firmware_version(tree: dict[str, bytes]) -> str:
    """What a tree says its version is. Raises UserError."""
    match = VERSION_LINE.search(tree.get(VERSION_FILE, b"").decode())
    if match is None:
        raise UserError(f"{VERSION_FILE} has no line that tells the version")
    return match[1]


def tree_files(board: str, firmware: Path = FIRMWARE) -> list[Path]:
    """What an update over the air can change: boards/ and ugs/, relative to `firmware`.

    Raises UserError when there is no such board.
    """
    if board not in boards():
        raise UserError(f"no board {board}; there are {', '.join(boards())}")
    found = [
        *(firmware / "boards").glob("*.py"),
        *(firmware / "boards" / board).glob("*.py"),
        *(path for path in (firmware / "ugs").rglob("*") if path.suffix in TREE_SUFFIXES),
    ]
    return sorted(path.relative_to(firmware) for path in found)


def _clear(out: Path) -> None:
    if not out.exists():
        out.mkdir(parents=True)
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder for the bundle")
    if not any(out.iterdir()):
        return
    if not all((out / name).exists() for name in (*_FIXED, "node.json", TREE, RESCUE)):
        raise UserError(f"{out} is not empty and not a former bundle; name another folder")
    for name in (*OWNED, "node.json"):
        (out / name).unlink(missing_ok=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch bundle`."""
    parser.add_argument("--board", choices=boards(), help="the board it is for")
    parser.add_argument("--config", required=True, type=Path, help="the node's node.toml")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write")
    parser.add_argument("--json", action="store_true", help="say what was written as JSON")


def run(args: argparse.Namespace) -> int:
    """Write the bundle and say where it is; never a word of its keys."""
    config = load_config(args.config, args.board)
    files = write_tree(config, args.out)
    size = sum((args.out / path).stat().st_size for path in files)
    if args.json:
        facts = {
            "node": config.node,
            "site": config.site,
            "board": config.board,
            "out": str(args.out),
            "files": [path.as_posix() for path in files],
            "bytes": size,
        }
        print(json.dumps(facts))
    else:
        print(f"wrote {len(files)} files, {size} bytes, for node {config.node} to {args.out}")
    return 0
