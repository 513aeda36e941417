# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway check`: each file of the configuration, before a start or reload.

Nothing is changed and nothing is asked: a fleet key that rests under a passphrase, or in the
keyring, is not opened.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from gateway.api.access.tokens import load_tokens
from gateway.commands.options import config_option, json_option
from gateway.config import GatewayConfig, load_config
from gateway.config.alarms import alarm_rules
from gateway.config.site import load_site
from gateway.console.operators import load_operators
from gateway.errors import ConfigError
from gateway.keysafe import Rest, open_root, rest_of
from gateway.ports.connector import Context
from gateway.tls import client_context


@dataclass(frozen=True)
class Checked:
    """One file. `problem` is empty where there is none."""

    file: str
    problem: str
    found: str


@click.command()
@config_option()
@json_option()
def check(config: Path, as_json: bool) -> int:
    """1 when a file has a problem."""
    files = list(_checked(config))
    for one in files:
        if as_json:
            print(json.dumps({"type": "check", "ok": not one.problem, **asdict(one)}))
        else:
            start = "" if one.problem.startswith(one.file) else f"{one.file}: "
            words = f"PROBLEM  {start}{one.problem}"
            print(words if one.problem else f"ok       {one.file}: {one.found}")
    return int(any(one.problem for one in files))


def _checked(path: Path) -> Iterator[Checked]:
    try:
        config = load_config(path)
    except ConfigError as error:
        yield Checked(str(path), str(error), "")
        return
    site = _file(config.site, lambda: _site(config))
    yield _file(path, lambda: _named_files(config, with_connectors=not site.problem))
    for exposure in config.exposed:
        yield Checked(str(path), exposure, "")
    yield site
    yield _file(config.fleet_key, lambda: _fleet_key(config.fleet_key))
    operators = config.console.operators
    if operators.exists():
        yield _file(operators, lambda: f"{len(load_operators(operators))} operators")
    else:
        yield Checked(str(operators), "", "none yet: groundwatch operator add NAME")
    yield _file(config.api.tokens, lambda: f"{len(load_tokens(config.api.tokens))} tokens")


def _file(path: Path, read: Callable[[], str]) -> Checked:
    try:
        return Checked(str(path), "", read())
    except ConfigError as error:
        return Checked(str(path), str(error), "")


def _named_files(config: GatewayConfig, with_connectors: bool) -> str:
    """Certificates and keys; connectors, which need the site, read theirs when they are made.

    Raises ConfigError.
    """
    if config.broker.trusted is not None:
        client_context(config.broker.trusted)
    if with_connectors:
        site = load_site(config.site)
        context = Context(site, lambda: time.time_ns() // 1000, random.Random())
        for kind, one in config.connectors:
            kind.make(one, context)
    return f"{len(config.connectors)} connectors"


def _site(config: GatewayConfig) -> str:
    """Also that schedules and confirmations name sectors of the site. Raises ConfigError."""
    site = load_site(config.site)
    alarm_rules(config.alarms, site)
    return f"{site.name}, {len(site.nodes)} nodes in {len(site.sectors)} sectors"


def _fleet_key(path: Path) -> str:
    rest = rest_of(path)
    if rest is Rest.PLAIN:
        open_root(path)
    return f"rests in: {rest.value}"
