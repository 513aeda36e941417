# SPDX-License-Identifier: MIT
"""Commands: `groundwatch token`: tokens with which other systems use the gateway's API."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.api.access.tokens import MAX_TOKENS, load_tokens, new_token, save_tokens
from gateway.commands import offline_clock
from gateway.commands.options import config_option, json_option, names
from gateway.config import load_config
from gateway.errors import ConfigError
from gateway.model.actions.identity import Scope

MAX_DAYS = 3660
_DAY_US = 24 * 3600 * 1_000_000


@click.command()
@config_option()
@json_option()
def list_tokens(config: Path, as_json: bool) -> None:
    """Name, scope and end of each token."""
    for token in load_tokens(load_config(config).api.tokens).values():
        until = datetime.fromtimestamp(token.until_us // 1_000_000, UTC)
        if as_json:
            facts = {"name": token.name, "scope": token.scope.value, "until_us": token.until_us}
            print(json.dumps(facts))
        else:
            print(f"{token.scope.value:<5}  until {until:%Y-%m-%d}  {token.name}")


@click.command()
@click.argument("name")
@click.option(
    "--scope",
    type=names(Scope),
    default=Scope.READ.value,
    help="read, act (acknowledge, mask, announce) or admin",
)
@click.option("--days", type=int, default=365, help="how long it is valid")
@config_option()
@json_option("print name, scope, end and secret as one JSON line")
def add(name: str, scope: str, days: int, config: Path, as_json: bool) -> None:
    """The secret is printed, and shown only now."""
    loaded = load_config(config)
    path = loaded.api.tokens
    tokens = load_tokens(path)
    if not 1 <= days <= MAX_DAYS:
        raise ConfigError(f"--days must be 1 to {MAX_DAYS}, for example --days 365")
    if name in tokens:
        raise ConfigError(f"{name} has a token; remove it first")
    if len(tokens) >= MAX_TOKENS:
        raise ConfigError(f"there are {MAX_TOKENS} tokens; remove one first")
    now = offline_clock.now(loaded.store)
    until_us = now.us + days * _DAY_US
    tokens[name], secret = new_token(name, Scope(scope), until_us)
    save_tokens(path, tokens)
    if now.warning:
        print(now.warning, file=sys.stderr)
    if as_json:
        facts = {"name": name, "scope": scope, "until_us": until_us, "secret": secret}
        print(json.dumps(facts))
        return
    print(secret)
    print("keep it safe: it is shown only now, and only its hash is stored", file=sys.stderr)


@click.command()
@click.argument("name")
@config_option()
@json_option("print one JSON line")
def remove(name: str, config: Path, as_json: bool) -> None:
    """The token is not valid any more."""
    path = load_config(config).api.tokens
    tokens = load_tokens(path)
    if tokens.pop(name, None) is None:
        raise ConfigError(f"{name} is not in {path}; see `groundwatch token list`")
    save_tokens(path, tokens)
    removed = json.dumps({"name": name, "removed": True})
    print(removed if as_json else f"the token {name} is not valid any more")
