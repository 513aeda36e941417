# SPDX-License-Identifier: MIT
"""`groundwatch node provision`: keys of nodes, given out, changed, ended, and listed."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from gateway.config import GatewayConfig, load_config
from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT, EnrolmentLog
from gateway.errors import ConfigError
from gateway.keys import ROOT_BYTES
from gateway.keysafe import Rest, ask_new_passphrase, open_root, write_root
from tools.errors import UserError
from tools.flash import job
from tools.flash.board import Board
from tools.flash.boards import kind_of
from tools.flash.enrol import Mode, Provisioner
from tools.flash.ports import ports, the_port
from tools.flash.repl import CableError
from tools.flash.screen import Screen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `groundwatch node provision`."""
    parser.add_argument("node", nargs="?", help="the node's id, as in n07")
    job.add_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rotate", action="store_true", help="a new key for the board plugged in")
    what.add_argument("--replace", action="store_true", help="this board for a lost one")
    what.add_argument("--revoke", action="store_true", help="no board speaks as this node any more")
    what.add_argument("--list", action="store_true", help="how every node of the site stands")
    what.add_argument(
        "--new-root", action="store_true", help="make the fleet key of a new site, plain"
    )
    what.add_argument(
        "--root",
        choices=[rest.value for rest in Rest],
        help="let the fleet key rest there from now on",
    )


def run(args: argparse.Namespace) -> int:
    """0 when it is done; what is wrong is told in one line."""
    if args.new_root or args.root:
        return _fleet_root(load_config(args.config).fleet_key, args.root)
    if args.list:
        return _list(load_config(args.config), args.json)
    if args.node is None:
        raise UserError("name a node, as in: groundwatch node provision n07, or --list")
    if args.revoke:
        return _revoke(args)
    if args.rotate:
        return _enrol(args, Mode.ROTATE, "key changed")
    return _enrol(args, Mode.REPLACE if args.replace else Mode.ENROL, "provisioned")


def _enrol(args: argparse.Namespace, mode: Mode, why: str) -> int:
    """For a board that has its firmware: its settings and its key, no files else."""
    wanted = job.read_job(args, mode, why)
    port = the_port(args.port, ports())
    screen = Screen(quiet=args.json)
    try:
        board = Board(port)
        kind = wanted.kind(kind_of(board.facts.platform, board.facts.machine))
        wish, provisioner = wanted.wish(kind), wanted.provisioner()
        provisioner.check(board, wish)
        board.hold()
        wanted.enter_in_site(kind)
        screen.say(f"{board.facts.machine} on {port}: giving it its key")
        try:
            enrolled = provisioner.enrol(board, wish)
        finally:
            board.release()
        board.start()
    except CableError as error:
        raise UserError(f"{error}; plug it in and run this again: it goes on") from None
    facts = {
        "node": args.node,
        "generation": enrolled.generation,
        "new_key": enrolled.is_new,
        "board": kind.name,
        "id": board.facts.id,
    }
    key = "a new key" if enrolled.is_new else "its key as before"
    _tell(args.json, facts, f"{args.node}: {key} (generation {enrolled.generation}), proven")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    config = load_config(args.config)
    if args.node not in load_site(config.site).nodes:
        raise UserError(f"{config.site} has no node {args.node}")
    if not args.why:
        raise UserError("say why, for the record: --revoke --why 'stolen on the night of ...'")
    who = job.person(args, args.why)
    _provisioner(config).revoke(args.node, who)
    facts = {"node": args.node, "revoked": True, "by": who.by, "why": who.why}
    _tell(args.json, facts, f"{args.node} is revoked; a running gateway knows within a second")
    return 0


def _list(config: GatewayConfig, as_json: bool) -> int:
    enrolment = _journal(config).read()
    rows = []
    for node in load_site(config.site).nodes:
        standing = enrolment.of(node)
        state = "revoked" if standing.revoked_at else "proven" if standing.board else "not proven"
        rows.append(
            {
                "node": node,
                "state": state,
                "generation": standing.proven or standing.offered,
                "offered": standing.offered,
                "id": standing.board,
                "revoked_at": standing.revoked_at,
            }
        )
    if as_json:
        print(json.dumps(rows))
        return 0
    table = Table(box=box.SIMPLE)
    for name in ("node", "state", "generation", "id", "revoked_at"):
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(
            *(str(row[column]) for column in ("node", "state", "generation")),
            str(row["id"]),
            str(row["revoked_at"]),
        )
    Console().print(table)
    return 0


def _fleet_root(path: Path, rest: str | None) -> int:
    """Make it, or move it from one place of rest to another."""
    if rest is None:
        if path.exists():
            raise UserError(f"{path} holds a fleet key already; nodes in use depend on it")
        write_root(path, secrets.token_bytes(ROOT_BYTES), Rest.PLAIN)
        print(f"wrote {path}: keep a copy offline, then let it rest under a passphrase: --root")
        return 0
    root = open_root(path)
    chosen: list[str] = []

    def ask(prompt: str) -> str:
        chosen.append(ask_new_passphrase(prompt))
        return chosen[-1]

    write_root(path, root, Rest(rest), ask)
    if open_root(path, lambda _prompt: chosen[-1]) != root:
        raise ConfigError(f"{path} does not give its key back: restore your copy")
    print(f"the fleet key {path} rests in: {rest}")
    return 0


def _provisioner(config: GatewayConfig) -> Provisioner:
    root = open_root(config.fleet_key)
    return Provisioner(EnrolmentLog(config.data_dir / ENROLMENT, root), root)


def _journal(config: GatewayConfig) -> EnrolmentLog:
    return EnrolmentLog(config.data_dir / ENROLMENT, open_root(config.fleet_key))


def _tell(as_json: bool, facts: dict[str, object], sentence: str) -> None:
    print(json.dumps(facts) if as_json else sentence)
