# SPDX-License-Identifier: MIT
"""Commands: `groundwatch gateway check`: the whole folder of a site, before a start or reload: each
problem with its file, its line and what is allowed.

Nothing is changed and nothing is asked: a fleet key that rests under a passphrase, or in the
keyring, is not opened.
"""

from __future__ import annotations

import difflib
import json
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from gateway.api.access.tokens import load_tokens
from gateway.commands import offline_clock
from gateway.commands.options import config_option, json_option
from gateway.config import GatewayConfig, findings, table_problems
from gateway.config.alarms import alarm_rules
from gateway.config.gateway_file import GatewayFile, config_of
from gateway.config.lines import line_of, line_of_parser
from gateway.config.network import BrokerKind
from gateway.config.reading import convert, parse_toml, read_file
from gateway.config.site import SiteFile, site_of
from gateway.console.operators import Role, load_operators
from gateway.errors import ConfigError, StoreError
from gateway.keysafe import Rest, open_root, rest_of
from gateway.model.place.site import Site
from gateway.ports.connector import Context
from gateway.tls import client_context

_NEAR = 0.9  # one letter of a name


@dataclass(frozen=True)
class Checked:
    """A file that is right, or one problem or warning of it. `line` is None where none has it."""

    file: str
    problem: str = ""
    found: str = ""
    warning: str = ""
    line: int | None = None

    def words(self) -> str:
        """One line for a person."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        if self.problem:
            return f"PROBLEM  {place}: {self.problem.removeprefix(f'{self.file}: ')}"
        if self.warning:
            return f"warning  {place}: {self.warning}"
        return f"ok       {place}: {self.found}"


@dataclass(frozen=True)
class _File:
    """A TOML file as it is: its text, for lines, and its values."""

    path: Path
    text: str
    raw: dict[str, Any]

    def problem(self, key: str, problem: str) -> Checked:
        """At a key, which the problem may begin with."""
        return Checked(str(self.path), problem, line=line_of(self.text, key))

    def finding(self, one: findings.Finding) -> Checked:
        """Of the whole, at its key."""
        line, words = line_of(self.text, one.key), f"{one.key}: {one.text}"
        if one.is_problem:
            return Checked(str(self.path), words, line=line)
        return Checked(str(self.path), warning=words, line=line)


@click.command()
@config_option()
@json_option()
def check(config: Path, as_json: bool) -> int:
    """1 when a file has a problem."""
    # Warnings first: the problems are what is seen last.
    found = sorted(_checked(config), key=lambda one: bool(one.problem))
    for one in found:
        if as_json:
            print(json.dumps({"type": "check", "ok": not one.problem, **asdict(one)}))
        else:
            print(one.words())
    return int(any(one.problem for one in found))


def _checked(path: Path) -> Iterator[Checked]:
    gateway = _read(path)
    if isinstance(gateway, Checked):
        yield gateway
        return
    problems = _problems(gateway, "gateway", {}, lambda raw: config_of(raw, path))
    yield from problems
    config = _config(gateway)
    if config is None:
        return
    for exposure in config.exposed:
        yield Checked(str(path), exposure)
    site_file = _read(config.site)
    site = None
    if isinstance(site_file, Checked):
        yield site_file
    else:
        least = {"name": "site"}
        site_problems = _problems(site_file, "site", least, lambda raw: site_of(raw, config.site))
        yield from site_problems
        if not site_problems:
            site = site_of(site_file.raw, config.site)
            yield from _site(site_file, site, gateway, config, is_whole=not problems)
    if not problems:
        yield from _gateway(gateway, config, site)
    yield from _beside(config)


def _read(path: Path) -> _File | Checked:
    try:
        content = read_file(path)
        return _File(path, content.decode("utf-8-sig", "replace"), parse_toml(content, path))
    except ConfigError as error:
        return Checked(str(path), str(error), line=line_of_parser(str(error)))


def _problems(
    file: _File,
    needed: str,
    least: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], object],
) -> list[Checked]:
    """Of every table by itself, and then of the whole."""
    found = table_problems.problems(file.raw, needed, least, read, str(file.path))
    return [file.problem(key, problem) for key, problem in found]


def _config(file: _File) -> GatewayConfig | None:
    """Of the whole file; or else of the table that names the other files."""
    for raw in (file.raw, {"gateway": file.raw.get("gateway", {})}):
        try:
            return config_of(raw, file.path)
        except ConfigError:
            continue
    return None


def _site(
    file: _File, site: Site, gateway: _File, config: GatewayConfig, is_whole: bool
) -> Iterator[Checked]:
    problem = ""
    if is_whole:
        try:
            alarm_rules(config.alarms, site)
        except ConfigError as error:
            problem = str(error)
            names = convert(gateway.raw, GatewayFile, str(gateway.path), gateway.path.parent)
            yield gateway.problem(_schedule_key(names, problem), problem)
    table = convert(file.raw, SiteFile, str(file.path), file.path.parent)
    found = [file.finding(one) for one in findings.of_site(table, site)]
    yield from found
    if not any(one.problem for one in found):
        about = f"{site.name}, {len(site.nodes)} nodes in {len(site.sectors)} sectors"
        yield Checked(str(file.path), found=about)


def _schedule_key(file: GatewayFile, problem: str) -> str:
    """Of the table that names the sector which is refused."""
    named = [(f"arming[{at}]", one.sectors) for at, one in enumerate(file.arming)]
    named += [(f"confirmation[{at}]", one.sectors) for at, one in enumerate(file.confirmation)]
    for key, sectors in named:
        is_kind = problem.startswith(key.partition("[")[0])
        if is_kind and any(f": {one!r} is" in problem for one in sectors):
            return f"{key}.sectors"
    return problem.partition(".")[0]


def _gateway(file: _File, config: GatewayConfig, site: Site | None) -> Iterator[Checked]:
    """Certificates, what connectors need, places on this machine. Connectors need the site."""
    try:
        if config.broker.trusted is not None:
            client_context(config.broker.trusted)
        if site is not None:
            context = Context(site, lambda: time.time_ns() // 1000, random.Random())
            for kind, one in config.connectors:
                kind.make(one, context)
    except ConfigError as error:
        yield Checked(str(file.path), str(error))
        return
    found = list(map(file.finding, _here(config)))
    if site is not None:
        table = convert(file.raw, GatewayFile, str(file.path), file.path.parent)
        found += [file.finding(one) for one in findings.of_gateway(table, config, site)]
    yield from found
    if not any(one.problem for one in found):
        yield Checked(str(file.path), found=f"{len(config.connectors)} connectors")


def _here(config: GatewayConfig) -> Iterator[findings.Finding]:
    """What this machine has, which may not be the gateway's."""
    folder = config.data_dir
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        text = f"{folder} is no folder that this user can write to"
        yield findings.Finding("gateway.data_dir", text, True)
    for index, line in enumerate(config.serial):
        if line.port.startswith("/") and not Path(line.port).exists():
            yield findings.Finding(f"serial[{index}].port", f"{line.port} is not there now")
    if config.broker.kind is not BrokerKind.EXTERNAL and not _is_own(config.broker.host):
        text = f"{config.broker.host} is no address of this machine"
        yield findings.Finding("broker.host", text)


def _is_own(host: str) -> bool:
    """Whether a socket can be bound there."""
    try:
        family, kind, number, _name, address = socket.getaddrinfo(
            host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, number) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


def _beside(config: GatewayConfig) -> Iterator[Checked]:
    """Keys and people."""
    yield _file(config.fleet_key, lambda: _fleet_key(config.fleet_key))
    operators, tokens = config.console.operators, config.api.tokens
    if operators.exists():
        yield from _operators(operators)
    else:
        yield _none_yet(operators, "groundwatch operator add NAME")
    if tokens.exists():
        yield _file(tokens, lambda: f"{len(load_tokens(tokens))} tokens")
        yield from _expired(tokens, config.store)
    else:
        yield _none_yet(tokens, "groundwatch token add NAME")


def _none_yet(path: Path, remedy: str) -> Checked:
    there = [one.name for one in path.parent.glob(f"*{path.suffix}") if one.is_file()]
    near = difflib.get_close_matches(path.name, there, 1, _NEAR)
    if near:
        return Checked(str(path), warning=f"is not there; {near[0]} is, which nothing reads")
    return Checked(str(path), found=f"none yet: {remedy}")


def _operators(path: Path) -> Iterator[Checked]:
    one = _file(path, lambda: f"{len(load_operators(path))} operators")
    yield one
    if not one.problem and not any(
        known.role is Role.SUPERVISOR for known in load_operators(path).values()
    ):
        yield Checked(str(path), warning="no operator is a supervisor")


def _expired(path: Path, store: Path | str) -> Iterator[Checked]:
    try:
        tokens = load_tokens(path)
        now_us = offline_clock.read(store).gateway_us
    except ConfigError:
        return  # a finding of its own
    except StoreError:
        return  # `groundwatch doctor` examines the store
    for index, token in enumerate(tokens.values()):
        if token.until_us <= now_us:
            line = line_of(path.read_text(encoding="utf-8-sig"), f"token[{index}]")
            yield Checked(str(path), warning=f"the token {token.name} has expired", line=line)


def _file(path: Path, read: Callable[[], str]) -> Checked:
    try:
        return Checked(str(path), found=read())
    except ConfigError as error:
        problem = str(error)
        key = problem.removeprefix(f"{path}: ").partition(" ")[0]
        line = line_of_parser(problem)
        if line is None and path.suffix == ".toml" and path.is_file():
            line = line_of(path.read_text("utf-8-sig", "replace"), key)
        return Checked(str(path), problem, line=line)


def _fleet_key(path: Path) -> str:
    rest = rest_of(path)
    if rest is Rest.PLAIN:
        open_root(path)
    return f"rests in: {rest.value}"
