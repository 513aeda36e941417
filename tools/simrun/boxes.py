# SPDX-License-Identifier: MIT
"""Simrun: which nodes of a site are simulated, with which keys, and where their flash is kept."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway import keys
from gateway.config import GatewayConfig, load_config
from gateway.config.site import load_site
from gateway.config.site_edit import change_site, with_node
from gateway.enrolment import ENROLMENT, Enrolment, EnrolmentLog
from gateway.keysafe import open_root
from gateway.model.place.position import Position
from gateway.model.place.site import SERIAL, Node, Site
from tools.bundle import NodeConfig, write_tree
from tools.compiled import mpy_of_interpreter
from tools.errors import UserError
from tools.flash.enrol import highest_boot
from tools.image import boards

MAX_NODES = 64
_FOLDER = "simulated"  # in the gateway's data_dir
_BOARD = "pico_w"
_APART_M = 25.0
_SECTOR = "site"


@dataclass(frozen=True)
class Own:
    """A gateway's configuration, its site, and the nodes of it that are simulated. `added` of them
    are new in the site."""

    config: GatewayConfig
    site: Site
    nodes: tuple[Node, ...]
    added: int = 0


def read_own(config_path: Path, site_path: Path | None, wanted: Sequence[str], add: int = 0) -> Own:
    """`wanted` names nodes; empty: all that reach the gateway by Wi-Fi. A site without nodes gets
    `add` of them. Raises UserError, ConfigError."""
    config = load_config(config_path)
    path = site_path or config.site
    site = load_site(path)
    added = 0 if site.nodes else add
    if added:
        site = change_site(path, lambda text: _with_line(text, added))
    if not site.nodes:
        raise UserError(
            f"the site {site.name} has no nodes yet: add some, for example with --add 2"
        )
    for name in wanted:
        if name not in site.nodes:
            raise UserError(
                f"{name!r} is no node of the site {site.name}; there are "
                f"{', '.join(list(site.nodes)[:20])}"
            )
        if site.nodes[name].link == SERIAL:
            raise UserError(f"{name} is on a serial line: leave it out of --nodes")
    chosen = [
        node
        for node in site.nodes.values()
        if (node.id in wanted if wanted else node.link != SERIAL)
    ]
    if not 1 <= len(chosen) <= MAX_NODES:
        raise UserError(
            f"{len(chosen)} nodes are to be simulated, and 1 to {MAX_NODES} can be: name some, "
            "for example --nodes n01,n02"
        )
    check_boards(chosen)
    return Own(config, site, tuple(chosen), added)


def _with_line(text: str, count: int) -> str:
    """The text of a site without nodes, with a line of them."""
    for index in range(count):
        x_m = index * _APART_M
        node = Node(f"n{index + 1:02}", x_m, 0.0, _SECTOR)
        text = with_node(text, node, Position(x_m, 0.0))
    return text


def check_boards(nodes: Iterable[Node]) -> None:
    """Raises UserError when a node is a board without firmware."""
    for node in nodes:
        if node.board and node.board not in boards():
            raise UserError(f"{node.id} is a {node.board}, which the simulator does not know")


def node_keys(own: Own) -> dict[str, bytes]:
    """The key of each chosen node, of the generation that the journal of keys has last. Raises
    UserError where a node has none, or where a board in the field has it; ConfigError."""
    root = open_root(own.config.fleet_key)
    enrolment = EnrolmentLog(own.config.data_dir / ENROLMENT, root).read()
    return {node.id: _key(own, enrolment, root, node.id) for node in own.nodes}


def _key(own: Own, enrolment: Enrolment, root: bytes, node: str) -> bytes:
    standing = enrolment.of(node)
    if standing.board and not standing.revoked_at:
        # Two that send under one key use message numbers twice, and the gateway warns of a copy.
        raise UserError(
            f"the key of {node} is on a board: leave it out of --nodes, or use a site and a fleet "
            "key for tests (groundwatch node provision --new-root)"
        )
    if not standing.accepted:
        raise UserError(
            f"{node} has no key: it was revoked at {standing.revoked_at}; leave it out of --nodes"
        )
    return keys.node_key(root, own.site.name, node, max(standing.accepted))


@contextmanager
def kept_folder(config: GatewayConfig) -> Iterator[Path]:
    """Where simulated nodes keep their flash between runs; one run at a time. Raises UserError."""
    folder = config.data_dir / _FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(f"{folder}: cannot be used: {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: another run simulates these nodes; end it, or wait for it"
            ) from None
        yield folder
    finally:
        os.close(handle)


def write_nodes(
    own: Own, secrets: dict[str, bytes], port: int, folder: Path, interpreter: Path
) -> dict[str, Path]:
    """The tree of each node, whose broker is on loopback at `port`. What it wrote to its flash in
    an earlier run stays; otherwise it counts starts on from those the store has. Raises UserError,
    StoreError."""
    mpy = mpy_of_interpreter(interpreter)
    trees = {}
    for node in own.nodes:
        tree = trees[node.id] = folder / node.id
        key, release = secrets[node.id], own.config.release_key
        write_tree(node_config(own.site.name, node, key, port, release), tree, mpy)
        if not (tree / "state").exists():
            _count_on(tree, highest_boot(own.config.store, node.id))
    return trees


def node_config(
    site: str, node: Node, key: bytes, port: int, release: bytes | None = None
) -> NodeConfig:
    """The configuration of a simulated node, whose broker is on loopback at `port`."""
    return NodeConfig(
        site=site,
        node=node.id,
        board=node.board or _BOARD,
        key=key,
        ssid="groundwatch-sim",
        passphrase="not a secret",
        host="127.0.0.1",
        port=port,
        x_m=node.x_m,
        y_m=node.y_m,
        pir=node.pir_range_m is None or node.pir_range_m > 0,
        release=release,
    )


def _count_on(tree: Path, boot: int) -> None:
    # As tools/flash/on_board.py raises the count of a board.
    number = boot.to_bytes(4, "big")
    (tree / "state").mkdir()
    (tree / "state" / "boot0").write_bytes(number + zlib.crc32(number).to_bytes(4, "big"))
