# SPDX-License-Identifier: MIT
"""What is to be made of a board: one node of one site, as gateway.toml and the command say."""

from __future__ import annotations

import argparse
import getpass
import socket
import sys
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from gateway.config import BrokerKind, GatewayConfig, load_config
from gateway.config.fields import is_loopback
from gateway.config.network import NodeNetwork
from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT, EnrolmentLog
from gateway.keysafe import open_root
from gateway.model.place.site import LINKS, SERIAL, Node, Site
from tools.bundle import NodeConfig
from tools.errors import UserError
from tools.flash.boards import BoardKind, guessed, kind_named, must_be_supported
from tools.flash.enrol import Mode, Person, Provisioner, Wish, highest_boot
from tools.flash.site_file import Placement, check_id, placed, register, usual_sector
from tools.prompts import Prompts

_NO_KEY = bytes(32)  # replaced by the one that is given out
_NO_NETWORK = NodeNetwork(ssid="", host="")  # for a node on a wire
_WORDS_MOST = 200


@dataclass(frozen=True)
class Job:
    """A site, one of its nodes (perhaps new), and who wants what."""

    config: GatewayConfig
    site: Site
    node: Node
    is_new: bool
    mode: Mode
    person: Person

    def kind(self, found: BoardKind | None, chip: str = "") -> BoardKind:
        """The kind of board, as placed or as found; `chip` is all that is known of a blank one.
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
        """Why no node can reach the broker, and what to do; "" when it can."""
        broker, network = self.config.broker, self.config.nodes
        if self.node.link == SERIAL or network is None or broker.kind is BrokerKind.EXTERNAL:
            return ""
        if not is_loopback(broker.host) or is_loopback(network.host):
            return ""
        return (
            f'[broker] host = "{broker.host}" is reached from this machine only: '
            f"groundwatch init --address {network.host} lets nodes in"
        )

    def node_config(self, kind: BoardKind) -> NodeConfig:
        """All that the node is told but its key. Raises UserError."""
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
        """The node as it is to be. Raises UserError."""
        floor = highest_boot(self.config.store, self.node.id)
        return Wish(self.node_config(kind), self.mode, self.person, floor)

    def provisioner(self) -> Provisioner:
        """Opens the fleet root, which may ask for a passphrase. Raises ConfigError."""
        root = open_root(self.config.fleet_key)
        return Provisioner(EnrolmentLog(self.config.data_dir / ENROLMENT, root), root)

    def enter_in_site(self, kind: BoardKind) -> None:
        """A new node's place goes into the site file before a key is given out for it."""
        if self.is_new:
            node = self.node
            register(self.config.site, replace(node, board=kind.name))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that `flash` and `provision` share."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("gateway.toml"),
        help="the gateway's configuration (default: gateway.toml)",
    )
    parser.add_argument(
        "--at", metavar="X,Y", help="metres east and north, for a new node; --at=-5,3"
    )
    parser.add_argument("--sector", help="the sector it guards, for a new node")
    parser.add_argument("--board", help="the kind of board, where it does not tell itself")
    parser.add_argument(
        "--link", choices=LINKS, help="how it reaches the gateway (default: Wi-Fi, or site.toml)"
    )
    parser.add_argument("--port", help="its serial port (default: the one that is plugged in)")
    parser.add_argument("--by", help="who does this (default: the user who is logged in)")
    parser.add_argument("--why", help="why, for the record")
    parser.add_argument("--json", action="store_true", help="say what was done as JSON")


def read_job(args: argparse.Namespace, mode: Mode, why: str) -> Job:
    """Raises UserError, ConfigError."""
    config = load_config(args.config)
    x_m, y_m = (None, None) if args.at is None else _place(args.at)
    if args.board:
        kind_named(args.board)
    placement = Placement(x_m, y_m, args.sector, args.board, args.link)
    placement = _completed(placement, config.site, args.node, asks=not args.json)
    site, node, is_new = placed(config.site, args.node, placement)
    return Job(config, site, node, is_new, mode, person(args, why))


def person(args: argparse.Namespace, why: str) -> Person:
    """Who, and why; short and plain."""
    by = args.by or getpass.getuser()
    for word in (by, args.why or why):
        if len(word) > _WORDS_MOST or not word.isprintable():
            raise UserError(f"--by and --why take plain words, at most {_WORDS_MOST} characters")
    return Person(by, args.why or why)


def _address_of(host: str) -> str:
    """The address that a name stands for in this network. Empty for what is an address already, and
    when there is none but this machine's own loopback: then the node asks its name server."""
    if not host:
        return ""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    address = str(found[0][4][0])
    return "" if address == host or ip_address(address).is_loopback else address


def _completed(placement: Placement, path: Path, node: str, asks: bool) -> Placement:
    """Where a new node stands, as far as the command leaves it open: asked at a terminal. The first
    node of a site is at (0, 0) by default. Raises UserError, ConfigError."""
    check_id(node)
    site = load_site(path)
    if placement.x_m is not None or node in site.nodes:
        return placement
    origin = "0,0" if not site.nodes else ""
    if asks and sys.stdin.isatty():
        prompts = Prompts()
        where = f"where {node} is: metres east,north of the site's (0, 0)"
        x_m, y_m = prompts.ask(where, origin, _place)
        sector = placement.sector or prompts.ask("sector", usual_sector(site), str)
        return replace(placement, x_m=x_m, y_m=y_m, sector=sector)
    return replace(placement, x_m=0.0, y_m=0.0) if origin else placement


def _place(text: str) -> tuple[float, float]:
    try:
        x_text, y_text = text.split(",")
        x_m, y_m = float(x_text), float(y_text)
    except ValueError:
        x_m = y_m = float("nan")
    if not (abs(x_m) <= 1e7 and abs(y_m) <= 1e7):  # nan compares false
        raise UserError(f"--at {text!r} must be metres east and north, as in --at 75,12.5")
    return x_m, y_m
