# SPDX-License-Identifier: MIT
"""Answers become files: composed in memory, tried in a folder beside, put in place one by one.

Nothing is overwritten: a file that is there stays, and gateway.toml comes last, so that a run which
was cut off is completed by the next one.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gateway.config import load_config
from gateway.config.fields import is_loopback
from gateway.config.site import load_site
from gateway.console.operators import load_operators, operators_text
from gateway.errors import ConfigError
from gateway.files import sync_folder
from gateway.keys import ROOT_BYTES
from tools.errors import UserError
from tools.init.answers import Answers, Notify, Place

GATEWAY, SITE, OPERATORS = "gateway.toml", "site.toml", "operators.toml"
KEYS = "keys"  # of mode 0700
FLEET_KEY, WIFI_SECRET, NOTIFY_SECRET = "fleet.key", "wifi.secret", "notify.secret"
DATA = "data"
_PRIVATE, _PUBLIC = 0o600, 0o644


@dataclass(frozen=True)
class Written:
    """Paths relative to the folder."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def quoted(value: str | list[str]) -> str:
    """A TOML basic string, or a list of them. JSON escapes printable text as TOML does."""
    return json.dumps(value, ensure_ascii=False)


def fleet_key_of(folder: Path) -> str:
    """The fleet key that is there already, else where a new one goes."""
    return FLEET_KEY if (folder / FLEET_KEY).exists() else f"{KEYS}/{FLEET_KEY}"


def site_text(name: str, place: Place | None) -> str:
    """site.toml without a node."""
    lines = [
        "# Written by `groundwatch init`. `groundwatch node flash` adds a [[node]] for each node.",
        "[site]",
        f"name = {quoted(name)}  # part of every node's key: a change means to flash all nodes",
    ]
    if place is None:
        lines.append("# latitude = 48.1374  # where on Earth the local (0, 0) is")
        lines.append("# longitude = 11.5755")
    else:
        lines += place_lines(place)
    return "\n".join(lines) + "\n"


def place_lines(place: Place) -> list[str]:
    """Lines of [site]."""
    return [f"latitude = {place.latitude}", f"longitude = {place.longitude}"]


def gateway_text(answers: Answers, fleet_key: str) -> str:
    """gateway.toml."""
    wifi = answers.wifi
    # Every address, not the one of [nodes]: the gateway has to start before the Wi-Fi is there.
    host = wifi.address if is_loopback(wifi.address) else "0.0.0.0"
    country = f"country = {quoted(wifi.country)}" if wifi.country else '# country = "DE"'
    text = f"""\
# Written by `groundwatch init`. `groundwatch gateway run --example` prints every key there is.
[gateway]
data_dir = "{DATA}"
site = "{SITE}"
fleet_key = {quoted(fleet_key)}
time_zone = {quoted(answers.time_zone)}

[broker]
kind = "embedded"
host = "{host}"
port = {answers.broker_port}

[console]
host = "127.0.0.1"  # this machine only
port = {answers.console_port}
operators = "{OPERATORS}"

# `groundwatch node flash` writes these to a node. After a change, flash the nodes again.
[nodes]
ssid = {quoted(wifi.ssid)}
passphrase_file = "{KEYS}/{WIFI_SECRET}"
{country}
host = {quoted(wifi.address)}  # of this machine, in the network of the nodes
"""
    if answers.notify is not None:
        text += "\n" + connector_text(answers.notify)
    return text


def connector_text(notify: Notify) -> str:
    """Its [[connector]] table."""
    lines = ["[[connector]]", 'name = "duty"', f"kind = {quoted(notify.kind)}"]
    lines += [f"{key} = {quoted(value)}" for key, value in notify.values.items()]
    if notify.secret_key:
        lines.append(f'{notify.secret_key} = "{KEYS}/{NOTIFY_SECRET}"')
    return "\n".join(lines) + "\n"


def compose(folder: Path, answers: Answers) -> dict[str, tuple[str, int]]:
    """Content and mode of every file of a new site, in the order in which they are put in place."""
    fleet_key = fleet_key_of(folder)
    files = {fleet_key: (secrets.token_bytes(ROOT_BYTES).hex() + "\n", _PRIVATE)}
    files[f"{KEYS}/{WIFI_SECRET}"] = (answers.wifi.passphrase + "\n", _PRIVATE)
    if answers.notify is not None and answers.notify.secret_key:
        files[f"{KEYS}/{NOTIFY_SECRET}"] = (answers.notify.secret + "\n", _PRIVATE)
    files[SITE] = (site_text(answers.site, answers.place), _PUBLIC)
    if answers.operator is not None:
        text = operators_text({answers.operator.name: answers.operator})
        files[OPERATORS] = (text, _PRIVATE)
    files[GATEWAY] = (gateway_text(answers, fleet_key), _PUBLIC)
    return files


def write(folder: Path, answers: Answers) -> Written:
    """Raises UserError, ConfigError; then no file of the folder was changed."""
    files = compose(folder, answers)
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".init-") as name:
            beside = Path(name)
            _lay_out(folder, beside, files)
            check(beside)
            return _put_in_place(folder, beside, files)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from None


def check(folder: Path) -> None:
    """Everything that a gateway reads at its start. Raises ConfigError."""
    config = load_config(folder / GATEWAY)
    load_site(config.site)
    if config.console.operators.exists():
        load_operators(config.console.operators)


def _lay_out(folder: Path, beside: Path, files: dict[str, tuple[str, int]]) -> None:
    """The folder as it will be: what is there already, and what is new."""
    (beside / KEYS).mkdir(mode=0o700)
    for name, (text, mode) in files.items():
        if (folder / name).exists():
            shutil.copy2(folder / name, beside / name)
            continue
        handle = os.open(beside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _put_in_place(folder: Path, beside: Path, files: dict[str, tuple[str, int]]) -> Written:
    written, kept = [], []
    (folder / KEYS).mkdir(mode=0o700, exist_ok=True)
    (folder / DATA).mkdir(mode=0o700, exist_ok=True)
    for name in files:
        try:
            os.link(beside / name, folder / name)  # unlike a rename it replaces nothing
            written.append(name)
        except FileExistsError:
            kept.append(name)
        sync_folder((folder / name).parent)
    return Written(tuple(written), tuple(kept))


def known_wifi_passphrase(folder: Path) -> str | None:
    """Of a run that was cut off before gateway.toml. Raises ConfigError."""
    path = folder / KEYS / WIFI_SECRET
    try:
        return path.read_text()[:100].strip() if path.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
