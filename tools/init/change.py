# SPDX-License-Identifier: MIT
"""A second `groundwatch init`: what the folder holds, and the changes that the options name."""

from __future__ import annotations

import re
import stat
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config import BrokerKind, GatewayConfig, load_config
from gateway.config.fields import is_loopback, load_public_key
from gateway.config.site import load_site, read_site
from gateway.console.operators import load_operators
from gateway.errors import ConfigError
from gateway.files import write_atomic
from tools.errors import UserError
from tools.init import answers, files
from tools.init.files import quoted
from tools.init.questions import Questions

Read = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Edit:
    """One key of one table: its new value as TOML."""

    table: str
    key: str
    value: str

    def __str__(self) -> str:
        shown = "another one" if self.key == "passphrase" else f"= {self.value}"
        return f"[{self.table}] {self.key} {shown}"


@dataclass(frozen=True)
class Plan:
    """`gateway` and `site` are edits of those files, `secrets` files of mode 0600."""

    gateway: tuple[Edit, ...]
    site: tuple[Edit, ...]
    added: str  # tables at the end of gateway.toml
    secrets: dict[Path, str]
    lines: tuple[str, ...]  # for the person who is asked


def facts(folder: Path) -> dict[str, Any]:
    """What the folder holds. Raises ConfigError."""
    config = load_config(folder / files.GATEWAY)
    site = load_site(config.site)
    known = load_operators(config.console.operators) if config.console.operators.exists() else {}
    origin = site.origin
    return {
        "site": site.name,
        "place": None if origin is None else [origin.latitude, origin.longitude],
        "nodes": list(site.nodes),
        "wifi": None if config.nodes is None else config.nodes.ssid,
        "address": None if config.nodes is None else config.nodes.host,
        "operators": list(known),
        "connectors": [one.name for _kind, one in config.connectors],
    }


def plan(folder: Path, questions: Questions) -> Plan:
    """What the options want to be otherwise than it is. Raises UserError, ConfigError."""
    path = folder / files.GATEWAY
    config, raw = load_config(path), tomllib.loads(path.read_text(encoding="utf-8-sig"))
    _refuse(folder, config, questions)
    gateway, secrets = _network(folder, config, raw, questions)
    given = questions.given
    if given.time_zone is not None:
        gateway.append(Edit("gateway", "time_zone", quoted(answers.time_zone(given.time_zone))))
    if given.release_key is not None:
        load_public_key(folder / given.release_key)
        gateway.append(Edit("gateway", "release_key", quoted(given.release_key)))
    for table, port in (("broker", given.broker_port), ("console", given.console_port)):
        if port is not None:
            gateway.append(Edit(table, "port", str(answers.port(port))))
    site: list[Edit] = []
    if given.place is not None:
        place = answers.place(given.place)
        if place is None:
            raise UserError(f"take latitude and longitude out of {config.site} by hand")
        site = [Edit("site", *line.split(" = ")) for line in files.place_lines(place)]
    added = _notification(folder, config, questions, secrets)
    gateway = [edit for edit in gateway if _differs(raw, edit)]
    site = [
        edit
        for edit in site
        if _differs(tomllib.loads(config.site.read_text(encoding="utf-8-sig")), edit)
    ]
    lines = [f"{path.name}: {edit}" for edit in gateway]
    lines += [f"{config.site.name}: {edit}" for edit in site]
    lines += [f"{secret.relative_to(folder)}: another secret" for secret in secrets]
    lines += [f"{path.name}: [[connector]] duty"] if added else []
    return Plan(tuple(gateway), tuple(site), added, secrets, tuple(lines))


def apply(folder: Path, wanted: Plan) -> None:
    """Secrets first, then the files that name them. Raises UserError, ConfigError."""
    path = folder / files.GATEWAY
    site = load_config(path).site
    text = edited(path.read_text(encoding="utf-8-sig"), wanted.gateway)
    if wanted.added:
        text = text.rstrip("\n") + "\n\n" + wanted.added
    try:
        for secret, value in wanted.secrets.items():
            secret.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomic(secret, value + "\n")
        if wanted.site:
            _replace(site, edited(site.read_text(encoding="utf-8-sig"), wanted.site), read_site)
        if wanted.gateway or wanted.added:
            _replace(path, text, _read_gateway)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from None


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with these values; every other line stays. Raises UserError."""
    for edit in edits:
        expected = tomllib.loads(text)
        expected.setdefault(edit.table, {})[edit.key] = _value(edit)
        text = _set(text, edit)
        try:
            is_right = tomllib.loads(text) == expected
        except tomllib.TOMLDecodeError:
            is_right = False
        if not is_right:  # for example an array over several lines
            raise UserError(f"set {edit.key} = {edit.value} in [{edit.table}] by hand")
    return text


def _set(text: str, edit: Edit) -> str:
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[", line)]
    header = re.compile(rf"\s*\[\s*{edit.table}\s*\]\s*(#.*)?")
    start = next((at for at in heads if header.fullmatch(lines[at])), None)
    written = f"{edit.key} = {edit.value}"
    if start is None:
        return "\n".join([*lines, "", f"[{edit.table}]", written]) + "\n"
    end = next((at for at in heads if at > start), len(lines))
    for pattern in (rf"\s*{edit.key}\s*=", rf"\s*#\s*{edit.key}\s*="):  # it, or its example
        for at in range(start + 1, end):
            if re.match(pattern, lines[at]):
                lines[at] = written + _comment(lines[at].lstrip("# "))
                return "\n".join(lines) + "\n"
    last = max(at for at in range(start, end) if at == start or re.match(r"[^#\s]", lines[at]))
    lines.insert(last + 1, written)
    return "\n".join(lines) + "\n"


def _comment(line: str) -> str:
    """What follows the value: the first # outside of a string begins it."""
    for match in re.finditer("#", line):
        try:
            tomllib.loads(line[: match.start()])
        except tomllib.TOMLDecodeError:
            continue
        return "  " + line[match.start() :]
    return ""


def _value(edit: Edit) -> Any:
    return tomllib.loads(f"value = {edit.value}")["value"]


def _differs(raw: dict[str, Any], edit: Edit) -> bool:
    return bool(raw.get(edit.table, {}).get(edit.key) != _value(edit))


def _refuse(folder: Path, config: GatewayConfig, questions: Questions) -> None:
    """What init does not change."""
    given, site = questions.given, load_site(config.site)
    if given.site not in (None, site.name):
        raise UserError(
            f"the site is {site.name}: its name is part of every node's key and is not changed "
            "here; make another site in another folder"
        )
    if given.operator is not None:
        raise UserError(
            "operators are added by: groundwatch operator add NAME, and changed by: groundwatch "
            "operator passwd NAME"
        )


def _network(
    folder: Path, config: GatewayConfig, raw: dict[str, Any], questions: Questions
) -> tuple[list[Edit], dict[Path, str]]:
    """[nodes], and the broker's address where no node would reach it."""
    given = questions.given
    edits: list[Edit] = []
    secrets: dict[Path, str] = {}
    if given.wifi is not None or given.wifi_passphrase is not None:
        known = config.nodes.ssid if config.nodes else "groundwatch"
        name = answers.ssid(given.wifi or known)
        edits.append(Edit("nodes", "ssid", quoted(name)))
        passphrase = questions.wifi_passphrase(name)
        nodes = raw.get("nodes", {})
        if "passphrase" in nodes:
            edits.append(Edit("nodes", "passphrase", quoted(passphrase)))
        else:
            file = nodes.get("passphrase_file", f"{files.KEYS}/{files.WIFI_SECRET}")
            edits.append(Edit("nodes", "passphrase_file", quoted(file)))
            secrets[folder / file] = passphrase
    if given.address is not None:
        address = questions.address(given.address)
        edits.append(Edit("nodes", "host", quoted(address)))
        is_own = config.broker.kind is not BrokerKind.EXTERNAL
        if is_own and is_loopback(config.broker.host) and not is_loopback(address):
            edits.append(Edit("broker", "host", quoted("0.0.0.0")))
    if given.country is not None and (country := answers.country(given.country)):
        edits.append(Edit("nodes", "country", quoted(country)))
    return edits, secrets


def _notification(
    folder: Path, config: GatewayConfig, questions: Questions, secrets: dict[Path, str]
) -> str:
    if questions.given.notify is None:
        return ""
    notify = questions.notify()
    if notify is None:
        raise UserError(f"take the [[connector]] tables out of {folder / files.GATEWAY} by hand")
    if any(one.name == "duty" for _kind, one in config.connectors):
        raise UserError(
            f"{folder / files.GATEWAY} has a [[connector]] duty already: change it there"
        )
    if notify.secret_key:
        secrets[folder / files.KEYS / files.NOTIFY_SECRET] = notify.secret
    return files.connector_text(notify)


def _read_gateway(raw: bytes, path: Path) -> None:
    """Read beside the present file, so that relative paths hold. Raises ConfigError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".init-", suffix=".toml") as file:
        file.write(raw)
        file.flush()
        try:
            load_config(Path(file.name))
        except ConfigError as error:
            raise ConfigError(str(error).replace(file.name, str(path))) from None


def _replace(path: Path, text: str, read: Read) -> None:
    read(text.encode(), path)
    write_atomic(path, text, stat.S_IMODE(path.stat().st_mode))
