# SPDX-License-Identifier: MIT
"""Commands: `groundwatch token`: tokens with which other systems use the gateway's API."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from gateway.api.access.tokens import MAX_TOKENS, load_tokens, new_token, save_tokens
from gateway.config import add_option, load_config
from gateway.errors import ConfigError
from gateway.model.actions.identity import Scope

MAX_DAYS = 3660
_DAY_US = 24 * 3600 * 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.add_argument("action", choices=("add", "list", "remove"))
    parser.add_argument("name", nargs="?", help="of the other system, for example tak_server")
    parser.add_argument(
        "--scope",
        choices=[scope.value for scope in Scope],
        default=Scope.READ.value,
        help="read, act (acknowledge, mask, announce) or admin (default: read)",
    )
    parser.add_argument("--days", type=int, default=365, help="how long it is valid (default: 365)")
    add_option(parser, "configuration file that names the gateway's tokens.toml")


def run(args: argparse.Namespace) -> int:
    """0 when done. Raises ConfigError for what the user can mend."""
    path = load_config(args.config).api.tokens
    tokens = load_tokens(path)
    if args.action == "list":
        for token in tokens.values():
            until = datetime.fromtimestamp(token.until_us // 1_000_000, UTC)
            print(f"{token.scope.value:<5}  until {until:%Y-%m-%d}  {token.name}")
        return 0
    if args.name is None:
        raise ConfigError(f"name the token to {args.action}: groundwatch token {args.action} tak")
    if args.action == "remove":
        if tokens.pop(args.name, None) is None:
            raise ConfigError(f"{args.name} is not in {path}; see `groundwatch token list`")
        save_tokens(path, tokens)
        print(f"the token {args.name} is not valid any more")
        return 0
    if not 1 <= args.days <= MAX_DAYS:
        raise ConfigError(f"--days must be 1 to {MAX_DAYS}, for example --days 365")
    if args.name in tokens:
        raise ConfigError(f"{args.name} has a token; remove it first")
    if len(tokens) >= MAX_TOKENS:
        raise ConfigError(f"there are {MAX_TOKENS} tokens; remove one first")
    until_us = time.time_ns() // 1000 + args.days * _DAY_US
    tokens[args.name], secret = new_token(args.name, Scope(args.scope), until_us)
    save_tokens(path, tokens)
    print(secret)
    print("keep it safe: it is shown only now, and only its hash is stored", file=sys.stderr)
    return 0
