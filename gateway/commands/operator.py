# SPDX-License-Identifier: MIT
"""Commands: `groundwatch operator`: who may sign on at the console."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from gateway.config import add_option, load_config
from gateway.console.operators import (
    PASSPHRASE_MOST,
    Operator,
    Role,
    load_operators,
    new_operator,
    plain_name,
    save_operators,
)
from gateway.errors import ConfigError
from gateway.terminal import ask_secret

ACTIONS = ("add", "list", "passwd", "set-role", "remove")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("name", nargs="?", help='for example "Eva M."')
    parser.add_argument(
        "--role",
        choices=[role.value for role in Role],
        help="a supervisor also sees the measured performance (add: operator if left out)",
    )
    add_option(parser, "configuration file that names operators.toml")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises ConfigError for what the user can mend."""
    path = load_config(args.config).console.operators
    operators = load_operators(path) if path.exists() else {}
    if args.action == "list":
        for operator in operators.values():
            print(f"{operator.role.value:<10}  {operator.name}")
        return 0
    if args.name is None:
        raise ConfigError(f"name an operator: groundwatch operator {args.action} eva")
    if args.role is not None and args.action not in ("add", "set-role"):
        raise ConfigError(f"--role is for add and set-role, not for {args.action}")
    name = plain_name(args.name)
    if args.action == "add":
        done = _add(operators, name, Role(args.role or Role.OPERATOR.value))
    elif name not in operators:
        raise ConfigError(f"{name} is not in {path}; see `groundwatch operator list`")
    else:
        done = _change(operators, name, args.action, args.role)
    save_operators(path, operators)
    print(done)
    return 0


def _add(operators: dict[str, Operator], name: str, role: Role) -> str:
    """A name that is there keeps its passphrase and role. Raises ConfigError."""
    if name in operators:
        raise ConfigError(
            f'{name} is an operator already: `groundwatch operator passwd "{name}"` changes the '
            f'passphrase, `groundwatch operator set-role "{name}" --role {role.value}` the role'
        )
    operators[name] = new_operator(name, role, _passphrase(name))
    return f"{name} may sign on as {role.value}"


def _change(operators: dict[str, Operator], name: str, action: str, role: str | None) -> str:
    """Of a name that is there. Raises ConfigError."""
    known = operators[name]
    if action == "remove":
        del operators[name]
        return f"{name} may no longer sign on; a session that is on ends now"
    if action == "passwd":
        operators[name] = new_operator(name, known.role, _passphrase(name))
        return f"the passphrase of {name} is changed; sessions that are on end now"
    if role is None:
        raise ConfigError(f'name a role: groundwatch operator set-role "{name}" --role supervisor')
    operators[name] = replace(known, role=Role(role))
    return f"{name} may sign on as {role}; the passphrase is as before"


def _passphrase(name: str) -> str:
    """Asked for twice at a terminal; the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(PASSPHRASE_MOST + 2).rstrip("\r\n")
    first = ask_secret(f"pass phrase of {name}: ")
    if ask_secret("once more: ") != first:
        raise ConfigError("the two are not the same; nothing was changed")
    return first
