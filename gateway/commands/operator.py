# SPDX-License-Identifier: MIT
"""Commands: `groundwatch operator`: who may sign on at the console."""

from __future__ import annotations

import argparse
import getpass
import sys

from gateway.config import add_option, load_config
from gateway.console.operators import (
    PASSPHRASE_MOST,
    Role,
    load_operators,
    new_operator,
    plain_name,
    save_operators,
)
from gateway.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("action", choices=("add", "list", "remove"))
    parser.add_argument("name", nargs="?", help='for example "Eva M."')
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        default=Role.OPERATOR.value,
        help="a supervisor also sees the measured performance (default: operator)",
    )
    add_option(parser, "configuration file that says where operators.toml is")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises ConfigError for what the user can mend."""
    path = load_config(args.config).console.operators
    operators = load_operators(path) if path.exists() else {}
    if args.action == "list":
        for operator in operators.values():
            print(f"{operator.role.value:<10}  {operator.name}")
        return 0
    if args.name is None:
        raise ConfigError(f"name whom to {args.action}: groundwatch operator {args.action} eva")
    name = plain_name(args.name)
    if args.action == "remove":
        if operators.pop(name, None) is None:
            raise ConfigError(f"{name} is not in {path}; see `groundwatch operator list`")
        save_operators(path, operators)
        print(f"{name} may no longer sign on; a session that is on ends now")
        return 0
    operators[name] = new_operator(name, Role(args.role), _passphrase(name))
    save_operators(path, operators)
    print(f"{name} may sign on as {args.role}")
    return 0


def _passphrase(name: str) -> str:
    """Asked for twice at a terminal; the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(PASSPHRASE_MOST + 2).rstrip("\r\n")
    first = getpass.getpass(f"pass phrase of {name}: ")
    if getpass.getpass("once more: ") != first:
        raise ConfigError("the two are not the same; nothing was changed")
    return first
