# SPDX-License-Identifier: MIT
"""`groundwatch node provision` and `node revoke`: issue, rotate, revoke and list keys of nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.config import load_config
from gateway.keysafe import Rest
from tools.errors import UserError
from tools.flash.options import BoardOptions, board_options, record_options

# Options of which at most one is given.
_ACTIONS = ("rotate", "replace", "revoke", "list_nodes", "new_root", "root")


@click.command()
@click.argument("node", required=False)
@board_options
@click.option("--rotate", is_flag=True, help="a new key for the board that is plugged in")
@click.option("--replace", is_flag=True, help="this board for a lost one")
@click.option("--revoke", is_flag=True, help="no board is accepted as this node any more")
@click.option("--list", "list_nodes", is_flag=True, help="the state of every node of the site")
@click.option("--new-root", is_flag=True, help="make the fleet key of a new site, plain")
@click.option(
    "--root",
    type=click.Choice([rest.value for rest in Rest]),
    help="where the fleet key is stored from now on",
)
def provision(node: str | None, **given: Any) -> None:
    """NODE is its id, as in n07. Raises UserError, ConfigError."""
    action = {name: given.pop(name) for name in _ACTIONS}
    chosen = [name for name in _ACTIONS if action[name]]
    if len(chosen) > 1:
        first, second = (name.removesuffix("_nodes").replace("_", "-") for name in chosen[:2])
        raise click.UsageError(f"--{second} is not allowed with --{first}")
    # Cable and terminal are imported now, not for help.
    from tools.flash import keys
    from tools.flash.enrol import Mode

    config: Path = given["config"]
    if action["new_root"] or action["root"]:
        keys.fleet_root(load_config(config).fleet_key, action["root"], given["as_json"])
    elif action["list_nodes"]:
        keys.show_list(load_config(config), given["as_json"])
    elif node is None:
        raise UserError("name a node, as in: groundwatch node provision n07, or --list")
    elif action["revoke"]:
        keys.revoke(node, config, given["by"], given["why"], given["as_json"])
    elif action["rotate"]:
        keys.enrol(BoardOptions(node, **given), Mode.ROTATE, "key changed")
    else:
        mode = Mode.REPLACE if action["replace"] else Mode.ENROL
        keys.enrol(BoardOptions(node, **given), mode, "provisioned")


@click.command()
@click.argument("node")
@record_options
def revoke(node: str, config: Path, by: str | None, why: str | None, as_json: bool) -> None:
    """NODE is its id, as in n07. Raises UserError, ConfigError."""
    from tools.flash import keys

    keys.revoke(node, config, by, why, as_json)
