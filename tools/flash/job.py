# SPDX-License-Identifier: MIT
"""The node to make of a board: from gateway.toml, site.toml and the command line."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from gateway.config import GatewayConfig, load_config
from gateway.config.network import NodeNetwork
from gateway.config.site import load_site
from gateway.config.site_edit import usual_sector
from gateway.keysafe import open_root
from gateway.model.place.position import Position
from gateway.model.place.site import SERIAL, Node, Site
from gateway.terminal import login_name
from tools.bundle import NodeConfig
from tools.errors import UserError
from tools.flash.boards import BoardKind, guessed, kind_named, must_be_supported
from tools.flash.enrol import Mode, Person, Provisioner, Wish, highest_boot, provisioner
from tools.flash.options import BoardOptions
from tools.flash.positions import of_metres, position_of
from tools.flash.site_file import Placement, check_id, placed, register
from tools.prompts import Prompts

_NO_KEY = bytes(32)  # replaced by the issued one
_NO_NETWORK = NodeNetwork(ssid="", host="")  # for a node on a wire
_MAX_TEXT = 200


@dataclass(frozen=True)
class Job:
    """A site, one of its nodes (perhaps new), what to do with its key, and who does it."""

    config: GatewayConfig
    site: Site
    node: Node
    is_new: bool
    mode: Mode
    person: Person
    position: Position | None = None  # of a new node

    def kind(self, found: BoardKind | None, chip: str = "") -> BoardKind:
        """The kind of board, from site.toml or as found. `chip` is known of a blank one too.

        Raises UserError."""
        if self.node.board and found and self.node.board != found.name:
            raise UserError(
                f"{self.node.id} is to be a {self.node.board}, and this board is a {found.name}"
            )
        kind = found or (kind_named(self.node.board) if self.node.board else guessed(chip))
        if kind is None:
            what = f"it is an {chip}" if chip else "it has no MicroPython that names it"
            raise UserError(
                f"name the board, as in --board pico_w or --board esp32_s3: {what} (a blank Pico W "
                "is recognised when its BOOTSEL button is held while it is plugged in)"
            )
        if chip not in ("", kind.chip):
            raise UserError(f"this board is an {chip}, and a {kind.name} is an {kind.chip}")
        must_be_supported(kind)
        return kind

    def unreachable(self) -> str:
        """Why no node can reach the broker, and what to do; "" when nodes can."""
        network = self.config.nodes
        if self.node.link == SERIAL or network is None:
            return ""
        return network.unreachable(self.config.broker)

    def node_config(self, kind: BoardKind) -> NodeConfig:
        """The settings of node.json, without its key. Raises UserError."""
        network = self.config.nodes
        if self.node.link == SERIAL:
            network = _NO_NETWORK
        if network is None:
            raise UserError(
                "gateway.toml has no [nodes]: groundwatch init --wifi NAME --address 192.168.4.1 "
                "adds the Wi-Fi that nodes join and the address of the gateway in it"
            )
        return NodeConfig(
            site=self.site.name,
            node=self.node.id,
            board=kind.name,
            key=_NO_KEY,
            ssid=network.ssid,
            passphrase=network.passphrase or "",
            host=network.host,
            port=network.port,
            x_m=self.node.x_m,
            y_m=self.node.y_m,
            pir=self.node.pir_range_m is None or self.node.pir_range_m > 0,
            release=self.config.release_key,
            link=self.node.link,
            country=network.country or "",
            address=_address_of(network.host),
        )

    def wish(self, kind: BoardKind) -> Wish:
        """The node to make. Raises UserError."""
        floor = highest_boot(self.config.store, self.node.id)
        return Wish(self.node_config(kind), self.mode, self.person, floor)

    def provisioner(self) -> Provisioner:
        """Opens the fleet key, which may ask for a passphrase. Raises ConfigError."""
        root = open_root(self.config.fleet_key)
        return provisioner(self.config, root)

    def enter_in_site(self, kind: BoardKind) -> None:
        """Add a new node to the site file, before a key is issued for it."""
        if self.is_new:
            node = self.node
            register(self.config.site, replace(node, board=kind.name), self.position)


def read_job(options: BoardOptions, mode: Mode, why: str) -> Job:
    """Raises UserError, ConfigError."""
    config = load_config(options.config)
    position = position_of(options.at, options.at_gps, load_site(config.site).origin)
    if options.board:
        kind_named(options.board)
    placement = Placement(position, options.sector, options.board, options.link)
    placement = _completed(placement, config.site, options.node, asks=not options.as_json)
    site, node, is_new = placed(config.site, options.node, placement)
    who = person(options.by, options.why or why)
    return Job(config, site, node, is_new, mode, who, placement.position)


def person(by: str | None, why: str) -> Person:
    """Who does it, by default the user who is logged in, and why. Raises UserError."""
    by = by or login_name()
    for text in (by, why):
        if len(text) > _MAX_TEXT or not text.isprintable():
            raise UserError(f"--by and --why take plain text of at most {_MAX_TEXT} characters")
    return Person(by, why)


def _address_of(host: str) -> str:
    """The address of a host name in this network. Empty for an address, and for a name of loopback
    only: then the node asks its name server."""
    if not host:
        return ""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    address = str(found[0][4][0])
    return "" if address == host or ip_address(address).is_loopback else address


def _completed(placement: Placement, path: Path, node: str, asks: bool) -> Placement:
    """The placement with a position for a new node: asked for at a terminal. The first node of a
    site is at (0, 0) by default. Raises UserError, ConfigError."""
    check_id(node)
    site = load_site(path)
    if placement.position is not None or node in site.nodes:
        return placement
    origin = "0,0" if not site.nodes else ""
    if asks and sys.stdin.isatty():
        prompts = Prompts()
        where = f"where {node} is: metres east,north of the site's (0, 0)"
        position = prompts.ask(where, origin, of_metres)
        sector = placement.sector or prompts.ask("sector", usual_sector(site), str)
        return replace(placement, position=position, sector=sector)
    return replace(placement, position=Position(0.0, 0.0)) if origin else placement
