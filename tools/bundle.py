# SPDX-License-Identifier: MIT
"""Bundle: writes the exact file tree for the filesystem of one node."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from gateway import keys
from gateway.errors import ConfigError
from gateway.toml_table import Table, load
from tools.errors import UserError

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
_KEY_PATTERN = re.compile(r"[0-9a-fA-F]{64}")
# What a bundle consists of at the top; anything else in the folder is not ours to touch.
_FILES = ("boot.py", "main.py", "node.json")
_FOLDERS = ("boards", "ugs")


@dataclass(frozen=True)
class NodeConfig:
    """What one node is told; `write_tree` turns it into files.

    `key` is the 32-byte node key and stays out of reprs. `x_m`, `y_m` are metres east and north.
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

    def as_json(self) -> str:
        """The text of node.json, as firmware/ugs/config.py reads it."""
        table = {
            "site": self.site,
            "node": self.node,
            "board": self.board,
            "key": self.key.hex(),
            "wifi": {"ssid": self.ssid, "passphrase": self.passphrase},
            "broker": {"host": self.host, "port": self.port},
            "x_m": self.x_m,
            "y_m": self.y_m,
            "pir": self.pir,
        }
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
    node, wifi, broker = (root.table(name, required=True) for name in ("node", "wifi", "broker"))
    root.done()
    site = node.identifier("site", "north")
    name = node.identifier("id", "n07")
    config = NodeConfig(
        site=site,
        node=name,
        board=node.identifier("board", "pico_w") if node.has("board") or not board else board,
        key=_node_key(node, path, site, name),
        ssid=_bounded(wifi, "ssid", "groundwatch", 32),
        passphrase=_passphrase(wifi),
        host=_bounded(broker, "host", "192.168.4.1", 64),
        port=broker.integer("port", 1, 65535, 1883, default=1883),
        x_m=_metres(node, "x_m"),
        y_m=_metres(node, "y_m"),
        pir=node.boolean("pir", default=True),
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
        root = keys.load_fleet_root(path.parent / node.text("fleet_key", "fleet.key"))
        return keys.node_key(root, site, name)
    if given == ["key_file"]:
        digits = _key_digits(path.parent / node.text("key_file", "n07.key"))
    else:
        digits = node.text("key", "64 hexadecimal digits")
    if not _KEY_PATTERN.fullmatch(digits):
        # The digits themselves are never shown: messages end up in logs.
        raise node.fail(given[0], "must give 64 hexadecimal digits", 'fleet_key = "fleet.key"')
    return bytes.fromhex(digits)


def _key_digits(path: Path) -> str:
    try:
        return path.read_bytes()[:200].decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"cannot read the node key {path}: {error.strerror}") from None


def write_tree(config: NodeConfig, out: Path) -> list[Path]:
    """Write boot.py, main.py, node.json, boards/ and ugs/ into `out`; return their paths there.

    `out` must be absent, empty, or a former bundle, whose files are replaced while whatever the
    node has written beside them (state/) stays. Raises UserError.
    """
    sources = _sources(config.board)
    try:
        _clear(out)
        for relative in sources:
            target = out / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(FIRMWARE / relative, target)
        node_json = out / "node.json"
        node_json.touch(mode=0o600)
        node_json.write_text(config.as_json())
    except OSError as error:
        raise UserError(f"cannot write {error.filename or out}: {error.strerror}") from None
    return sorted([*sources, Path("node.json")])


def _sources(board: str) -> list[Path]:
    if board not in boards():
        raise UserError(f"no board {board}; there are {', '.join(boards())}")
    found = [FIRMWARE / "boot.py", FIRMWARE / "main.py"]
    found += (FIRMWARE / "boards").glob("*.py")
    found += (FIRMWARE / "boards" / board).glob("*.py")
    found += (FIRMWARE / "ugs").rglob("*.py")
    return [path.relative_to(FIRMWARE) for path in found]


def _clear(out: Path) -> None:
    if not out.exists():
        out.mkdir(parents=True)
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; name a folder for the bundle")
    if not any(out.iterdir()):
        return
    if not all((out / name).exists() for name in (*_FILES, *_FOLDERS)):
        raise UserError(f"{out} is not empty and not a former bundle; name another folder")
    for name in _FILES:
        (out / name).unlink()
    for name in _FOLDERS:
        if (out / name).is_symlink():
            raise UserError(f"{out / name} is a link; name another folder")
        shutil.rmtree(out / name)


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
