# SPDX-License-Identifier: MIT
"""Keys of nodes: issue, rotate, revoke, list; and the fleet key."""

from __future__ import annotations

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
from tools.flash.enrol import Mode, provisioner
from tools.flash.options import BoardOptions
from tools.flash.ports import ports, the_port
from tools.flash.repl import CableError
from tools.flash.screen import Screen


def enrol(options: BoardOptions, mode: Mode, why: str) -> None:
    """For a board that has its firmware: its settings and its key, no other files."""
    wanted = job.read_job(options, mode, why)
    port = the_port(options.port, ports())
    screen = Screen(quiet=options.as_json)
    try:
        board = Board(port)
        kind = wanted.kind(kind_of(board.facts.platform, board.facts.machine))
        wish, provisioner = wanted.wish(kind), wanted.provisioner()
        provisioner.check(board, wish)
        board.hold()
        wanted.enter_in_site(kind)
        screen.show(f"{board.facts.machine} on {port}: giving it its key")
        try:
            enrolled = provisioner.enrol(board, wish)
        finally:
            board.release()
        board.start()
    except CableError as error:
        raise UserError(f"{error}; plug it in and run this again: it goes on") from None
    node = options.node
    facts = {
        "node": node,
        "generation": enrolled.generation,
        "new_key": enrolled.is_new,
        "board": kind.name,
        "id": board.facts.id,
    }
    key = "a new key" if enrolled.is_new else "its key as before"
    _show(options.as_json, facts, f"{node}: {key} (generation {enrolled.generation}), proven")


def revoke(node: str, config_file: Path, by: str | None, why: str | None, as_json: bool) -> None:
    """End the node's key. Raises UserError, ConfigError."""
    config = load_config(config_file)
    if node not in load_site(config.site).nodes:
        raise UserError(f"{config.site} has no node {node}")
    if not why:
        raise UserError("give the reason for the record: --why 'stolen on the night of ...'")
    person = job.person(by, why)
    root = open_root(config.fleet_key)
    provisioner(config, root).revoke(node, person)
    facts = {"node": node, "revoked": True, "by": person.by, "why": person.why}
    _show(as_json, facts, f"{node} is revoked; a running gateway knows within a second")


def show_list(config: GatewayConfig, as_json: bool) -> None:
    """The state of every node of the site, as a table. Raises ConfigError."""
    enrolment = EnrolmentLog(config.data_dir / ENROLMENT, open_root(config.fleet_key)).read()
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
        return
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


def fleet_root(path: Path, rest: str | None, as_json: bool) -> None:
    """Make the fleet key, or move it to another storage."""
    if rest is None:
        if path.exists():
            raise UserError(f"{path} holds a fleet key already; nodes in use depend on it")
        write_root(path, secrets.token_bytes(ROOT_BYTES), Rest.PLAIN)
        line = f"wrote {path}: keep a copy offline, then encrypt it by --root passphrase"
        _show(as_json, {"fleet_key": str(path), "root": Rest.PLAIN.value}, line)
        return
    root = open_root(path)
    chosen: list[str] = []

    def ask(prompt: str) -> str:
        chosen.append(ask_new_passphrase(prompt))
        return chosen[-1]

    write_root(path, root, Rest(rest), ask)
    if open_root(path, lambda _prompt: chosen[-1]) != root:
        raise ConfigError(f"{path} does not give its key back: restore your copy")
    line = f"the fleet key {path} is stored as: {rest}"
    _show(as_json, {"fleet_key": str(path), "root": rest}, line)


def _show(as_json: bool, facts: dict[str, object], sentence: str) -> None:
    print(json.dumps(facts) if as_json else sentence)
