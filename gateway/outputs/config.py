# SPDX-License-Identifier: MIT
"""Configuration: [[output]] and [home_assistant], read strictly. Secrets never stand in the file:
`x_file` names a file of mode 0600, `x_env` an environment variable."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import ConfigError
from gateway.files import read_private
from gateway.outputs.outbox import Channel
from gateway.outputs.trust import Trust, read_trust
from gateway.toml_table import Table

_OUTPUTS_MOST = 16
_SECRET_MOST = 4096
_USERNAME_MOST = 256
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class OutputKind(Enum):
    """How an output tells it."""

    WEBHOOK = "webhook"
    NTFY = "ntfy"
    EMAIL = "email"
    MQTT = "mqtt"


class Tls(Enum):
    """Of a mail server, where `none` is for loopback only; a broker knows no STARTTLS."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """One way to tell people; what a kind does not use is empty."""

    kind: OutputKind
    channel: Channel
    url: str = field(default="", repr=False)  # it may hold a secret itself
    secret: str = field(default="", repr=False)
    topic: str = ""
    host: str = ""
    port: int = 0
    tls: Tls = Tls.STARTTLS
    trust: Trust | None = None  # None: no TLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """What the audit may tell of it: no address, no secret."""
        return asdict(self.channel) | {"tls": self.trust is not None}


@dataclass(frozen=True, slots=True)
class HomeAssistantConfig:
    """The broker that Home Assistant listens on, and the prefix of its discovery."""

    host: str
    port: int
    prefix: str
    trust: Trust | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def described(self) -> dict[str, Any]:
        """What the audit may tell of it: no address, no secret."""
        return {"prefix": self.prefix, "tls": self.trust is not None}


def read_outputs(root: Table, folder: Path) -> tuple[OutputConfig, ...]:
    """Take [[output]] out of the root table. Raises ConfigError."""
    outputs: dict[str, OutputConfig] = {}
    for table in root.tables("output"):
        config = _output(table, folder)
        name = config.channel.name
        if name in outputs:
            raise table.fail("name", f"{name!r} is used twice", 'name = "duty_phone"')
        table.done()
        outputs[name] = config
    if len(outputs) > _OUTPUTS_MOST:
        raise root.fail("output", f"has more than {_OUTPUTS_MOST} entries", "[[output]]")
    return tuple(outputs.values())


def read_home_assistant(root: Table, folder: Path) -> HomeAssistantConfig | None:
    """Take [home_assistant] out of the root table; None when it is not there."""
    if not root.has("home_assistant"):
        return None
    table = root.table("home_assistant")
    config = HomeAssistantConfig(
        host=_host(table, "192.168.1.5"),
        **_broker_access(table, folder),
        prefix=_topic(table, "prefix", "homeassistant", "homeassistant"),
        username=_username(table),
        password=_secret(table, "password", folder),
    )
    table.done()
    return config


def _output(table: Table, folder: Path) -> OutputConfig:
    kinds = {kind.value: kind for kind in OutputKind}
    word = table.text("kind", "webhook")
    if word not in kinds:
        raise table.fail("kind", f"must be one of {', '.join(kinds)}", 'kind = "webhook"')
    channel = Channel(
        name=table.identifier("name", "duty_phone"),
        kind=word,
        priority=table.integer("priority", 1, 3, 2, 3),
        repeat_us=table.integer("repeat_s", 0, 86_400, 300, 300) * 1_000_000,
        per_minute=table.integer("per_minute", 1, 600, 10, 10),
    )
    match kinds[word]:
        case OutputKind.WEBHOOK:
            url = _url(table, folder)
            secret = _secret(table, "secret", folder)
            if not secret:
                raise table.fail("secret_file", "is missing", 'secret_file = "webhook.key"')
            trust = _web_trust(table, folder, url)
            return OutputConfig(kinds[word], channel, url=url, secret=secret, trust=trust)
        case OutputKind.NTFY:
            url = _url(table, folder)
            return OutputConfig(
                OutputKind.NTFY,
                channel,
                url=url,
                trust=_web_trust(table, folder, url),
                topic=table.text("topic", "groundwatch-north"),
                secret=_secret(table, "token", folder) or "",
            )
        case OutputKind.EMAIL:
            return _email(table, channel, folder)
        case OutputKind.MQTT:
            return OutputConfig(
                OutputKind.MQTT,
                channel,
                host=_host(table, "192.168.1.5"),
                **_broker_access(table, folder),
                topic=_topic(table, "topic", "groundwatch/alarms", "groundwatch/alarms"),
                username=_username(table),
                password=_secret(table, "password", folder),
            )


def _email(table: Table, channel: Channel, folder: Path) -> OutputConfig:
    modes = {mode.value: mode for mode in Tls}
    word = table.text("tls", "starttls", "starttls")
    if word not in modes:
        raise table.fail("tls", f"must be one of {', '.join(modes)}", 'tls = "starttls"')
    host = _host(table, "mail.example.net")
    if modes[word] is Tls.NONE and host not in LOOPBACK:
        raise table.fail("tls", "may be none on this machine only", 'tls = "starttls"')
    to = table.texts("to", "duty@example.net", 16)
    sender = table.text("from", "groundwatch@example.net")
    for address in (sender, *to):
        if address.count("@") != 1 or not address.isascii() or not address.isprintable():
            raise table.fail("to", f"{address!r} is no address", 'to = ["duty@example.net"]')
    return OutputConfig(
        OutputKind.EMAIL,
        channel,
        host=host,
        port=table.integer("port", 1, 65535, 587, 587),
        tls=modes[word],
        trust=None if modes[word] is Tls.NONE else read_trust(table, folder),
        username=_username(table),
        password=_secret(table, "password", folder),
        sender=sender,
        to=to,
    )


def _broker_access(table: Table, folder: Path) -> dict[str, Any]:
    """`port` and `trust`, by `tls`: the standard's ports are 1883 and 8883."""
    word = table.text("tls", Tls.TLS.value, Tls.NONE.value)
    if word not in (Tls.TLS.value, Tls.NONE.value):
        raise table.fail("tls", "must be one of tls, none", 'tls = "tls"')
    trust = None if word == Tls.NONE.value else read_trust(table, folder, client=True)
    standard = 8883 if trust else 1883
    return {"port": table.integer("port", 1, 65535, standard, standard), "trust": trust}


def _web_trust(table: Table, folder: Path, url: str) -> Trust | None:
    return read_trust(table, folder) if urlsplit(url).scheme == "https" else None


def _host(table: Table, example: str) -> str:
    """A name or an address that can be looked up."""
    host = table.text("host", example)
    try:
        host.encode("idna")
        good = len(host) <= 253 and all(c.isalnum() or c in "-._:" for c in host)
    except UnicodeError:
        good = False
    if not good:
        raise table.fail("host", "must be a host name or an address", f'host = "{example}"')
    return host


def _username(table: Table) -> str | None:
    name = table.optional_text("username", "groundwatch")
    if name is not None and (len(name) > _USERNAME_MOST or not name.isprintable()):
        problem = f"must be 1 to {_USERNAME_MOST} characters on one line"
        raise table.fail("username", problem, 'username = "groundwatch"')
    return name


def _topic(table: Table, key: str, example: str, default: str) -> str:
    topic = table.text(key, example, default)
    if "+" in topic or "#" in topic or "\0" in topic or len(topic) > 200:
        raise table.fail(key, "must be one topic without + and #", f'{key} = "{example}"')
    if topic.startswith("groundwatch/v1/"):
        raise table.fail(key, "is where nodes speak; name another", f'{key} = "{example}"')
    return topic


def _url(table: Table, folder: Path) -> str:
    url = _secret(table, "url", folder) or table.text("url", "https://example.net/hook")
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise table.fail("url", "must be a web address", 'url = "https://example.net/hook"')
    return url


def _secret(table: Table, key: str, folder: Path) -> str | None:
    """From `<key>_file` or `<key>_env`; None when neither is there."""
    file, variable = f"{key}_file", f"{key}_env"
    if table.has(file):
        return _read(folder / table.text(file, f"{key}.key"))
    if table.has(variable):
        name = table.text(variable, f"GROUNDWATCH_{key.upper()}")
        value = os.environ.get(name, "")
        if not value:
            raise table.fail(variable, f"names {name}, which is not set", f'{file} = "{key}.key"')
        return value
    return None


def _read(path: Path) -> str:
    try:
        raw = read_private(path, _SECRET_MOST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        value = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or len(raw) > _SECRET_MOST or not value.isprintable():
        raise ConfigError(f"{path}: must hold one line of text, a password or a token")
    return value
