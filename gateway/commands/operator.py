# SPDX-License-Identifier: MIT
"""Commands: `groundwatch operator`: who may sign in at the console."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from gateway.commands.options import config_option, json_option, names
from gateway.config import load_config
from gateway.console.operators import (
    MAX_PASSPHRASE,
    Operator,
    Role,
    load_operators,
    new_operator,
    plain_name,
    save_operators,
)
from gateway.errors import ConfigError
from gateway.terminal import ask_secret

_config = config_option("configuration file that names operators.toml")
_json = json_option("print one JSON line")
_role = names(Role)


@click.command()
@_config
@json_option()
def list_operators(config: Path, as_json: bool) -> None:
    """Role and name of each."""
    for operator in _known(config)[1].values():
        facts = {"name": operator.name, "role": operator.role.value}
        print(json.dumps(facts) if as_json else f"{operator.role.value:<10}  {operator.name}")


@click.command()
@click.argument("name")
@click.option(
    "--role",
    type=_role,
    default=Role.OPERATOR.value,
    help="a supervisor also sees the measured performance",
)
@_config
@_json
def add(name: str, role: str, config: Path, as_json: bool) -> None:
    """A name that is there keeps its passphrase and role. Raises ConfigError."""
    path, operators = _known(config)
    name = plain_name(name)
    if name in operators:
        raise ConfigError(
            f'{name} is an operator already: `groundwatch operator passwd "{name}"` changes the '
            f'passphrase, `groundwatch operator set-role "{name}" --role {role}` the role'
        )
    operators[name] = new_operator(name, Role(role), _passphrase(name))
    save_operators(path, operators)
    _show(as_json, operators[name], f"{name} may sign in as {role}")


@click.command()
@click.argument("name")
@_config
@_json
def passwd(name: str, config: Path, as_json: bool) -> None:
    """The role stays. Raises ConfigError."""
    path, operators, known = _one(config, name)
    operators[known.name] = new_operator(known.name, known.role, _passphrase(known.name))
    save_operators(path, operators)
    line = f"the passphrase of {known.name} is changed; its open sessions end now"
    _show(as_json, known, line)


@click.command()
@click.argument("name")
@click.option(
    "--role", type=_role, required=True, help="a supervisor also sees the measured performance"
)
@_config
@_json
def set_role(name: str, role: str, config: Path, as_json: bool) -> None:
    """The passphrase stays. Raises ConfigError."""
    path, operators, known = _one(config, name)
    operators[known.name] = replace(known, role=Role(role))
    save_operators(path, operators)
    line = f"{known.name} may sign in as {role}; the passphrase is as before"
    _show(as_json, operators[known.name], line)


@click.command()
@click.argument("name")
@_config
@_json
def remove(name: str, config: Path, as_json: bool) -> None:
    """Sessions of this operator end. Raises ConfigError."""
    path, operators, known = _one(config, name)
    del operators[known.name]
    save_operators(path, operators)
    if as_json:
        print(json.dumps({"name": known.name, "removed": True}))
        return
    print(f"{known.name} may no longer sign in; an open session ends now")


def _show(as_json: bool, operator: Operator, line: str) -> None:
    """The operator as `operator list --json` shows it, or a sentence."""
    facts = {"name": operator.name, "role": operator.role.value}
    print(json.dumps(facts) if as_json else line)


def _known(config: Path) -> tuple[Path, dict[str, Operator]]:
    """The file, which the first `add` makes, and who is in it."""
    path = load_config(config).console.operators
    return path, load_operators(path) if path.exists() else {}


def _one(config: Path, name: str) -> tuple[Path, dict[str, Operator], Operator]:
    path, operators = _known(config)
    known = operators.get(plain_name(name))
    if known is None:
        raise ConfigError(f"{plain_name(name)} is not in {path}; see `groundwatch operator list`")
    return path, operators, known


def _passphrase(name: str) -> str:
    """Asked for twice at a terminal; the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(MAX_PASSPHRASE + 2).rstrip("\r\n")
    first = ask_secret(f"pass phrase of {name}: ")
    if ask_secret("once more: ") != first:
        raise ConfigError("the two are not the same; nothing was changed")
    return first
