# SPDX-License-Identifier: MIT
"""[[connector]] and its older spellings: strict, secrets from files and environment only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import EXAMPLE, load_config
from gateway.config.connectors import ConnectorTable, connector_tables, read_connectors
from gateway.config.notify import NotifierConfig
from gateway.config.secrets import Secret
from gateway.errors import ConfigError
from gateway.ports.connector import ConnectorType
from gateway.ports.discovery import find_type
from tests.connectors.made import read
from tests.outbox.deliveries import secret

HOOK = {"kind": "webhook", "url": "https://example.net/hook", "secret_env": "GW_TEST_SECRET"}
MAIL = {
    "kind": "email",
    "host": "mail.example.net",
    "to": ["duty@example.net"],
    "from": "yard@example.net",
}


class BuzzerConfig(NotifierConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connector of a test."""

    pin: int
    token: Secret


class Types:
    """As if two connectors were installed."""

    def names(self) -> Sequence[str]:
        return ("bell", "buzzer")

    def get(self, kind: str) -> ConnectorType:
        assert kind == "buzzer"
        return ConnectorType("buzzer", BuzzerConfig, lambda _config, _context: None, "It buzzes.")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_TEST_SECRET", "from the environment")


def read_one(folder: Path, values: dict[str, Any]) -> None:
    read_connectors(connector_tables([], [{"name": "phone", **values}]), folder)


def read_buzzer(folder: Path, **values: Any) -> Any:
    tables = connector_tables([{"kind": "buzzer", "name": "gate", **values}])
    ((_type, config),) = read_connectors(tables, folder, types=Types())
    return config


def test_output_secret_comes_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    config = read(tmp_path, **HOOK)
    assert config.secret == "from the environment"
    assert "environment" not in repr(config)
    assert "example.net/hook" not in repr(config)


def test_output_secret_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    name = secret(tmp_path, "x" * 20)
    (tmp_path / name).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(tmp_path, kind="webhook", url="https://example.net/", secret_file=name)


NTFY: dict[str, Any] = {"kind": "ntfy", "topic": "north"}
NO_MAIL_ADDRESSES = (
    "@example.net",
    "duty@",
    "duty.example.net",
    "a@b@example.net",
    "a,b@example.net",
    "<duty@example.net>",
    "duty@exa_mple.net",
    "duty@example..net",
    "duty@.example.net",
    "duty@10.0.0.300",
    ".duty@example.net",
    "du ty@example.net",
)
NO_HOSTS = (
    "mail.example.net:587",
    "smtp://mail.example.net",
    "192.168.1.300",
    "192.168.1",
    "-mail.example.net",
    "1.2.3.4.5",
    "fe80::g",
)
NO_WEB_ADDRESSES = (
    "https://",
    "https:///hook",
    "https://https://example.net/hook",
    "https://example..net/hook",
    "https://192.168.1.300/hook",
    "https://example.net:/hook",
    "https://-example.net/",
)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({**HOOK, "kind": "pigeon"}, "one of webhook, ntfy, email, mqtt"),
        ({**HOOK, "secret": "in the file"}, "secret is not a known key"),
        ({"kind": "webhook", "url": "https://example.net/hook"}, "secret_file is missing"),
        ({**HOOK, "secret_env": "GW_TEST_NOT_SET"}, "is not set"),
        ({**HOOK, "secret_env": "GW\0"}, "is not set"),
        ({**HOOK, "secret_file": "a.key"}, "exclude each other"),
        ({"kind": "webhook", "url": "https://example.net/", "secret_file": 3}, "name a file"),
        ({"kind": "webhook", "url": "https://example.net/", "secret_file": "\0"}, "no file has"),
        ({**HOOK, "url": "file:///etc/passwd"}, "web address"),
        ({**HOOK, "url": "https://exa mple.net/"}, "web address"),
        ({**HOOK, "url": "https://example.net:99999/"}, "web address"),
        ({**HOOK, "url": "http://example.net/", "ca_file": "/dev/null"}, "ca_file needs https"),
        ({**HOOK, "priority": 0}, "1 to 3"),
        ({**HOOK, "per_minute": 0}, "1 to 600"),
        ({**HOOK, "repeat_s": -1}, "0 to 86400"),
        ({**HOOK, "name": "Duty Phone"}, "a-z 0-9"),
        ({**MAIL, "tls": "none"}, "this machine only"),
        ({**MAIL, "to": ["duty@example.net\nBcc: all@example.net"]}, "must be an address"),
        ({**MAIL, "to": []}, "list of 1 to"),
        ({**MAIL, "to": ["duty@example.net", "Duty@example.net"]}, "each address once"),
        *(({**MAIL, "to": [wrong]}, "must be an address") for wrong in NO_MAIL_ADDRESSES),
        *(({**MAIL, "host": wrong}, "host name or an address") for wrong in NO_HOSTS),
        *(({**HOOK, "url": wrong}, "web address") for wrong in NO_WEB_ADDRESSES),
        ({**NTFY, "url": "https://ntfy.example.net/north"}, "root of the server"),
        ({**NTFY, "url": "https://ntfy.example.net/?topic=north"}, "root of the server"),
        ({"kind": "mqtt", "host": "h", "topic": "groundwatch/v1/yard/n01/up"}, "none of the nodes"),
        ({"kind": "mqtt", "host": "h", "topic": "a/+/b"}, "without"),
        ({"kind": "mqtt", "host": "h", "cert_file": "/dev/null"}, "go together"),
        ({"kind": "mqtt", "host": "a" * 64 + ".example"}, "host name or an address"),
        ({"kind": "mqtt", "host": "a b"}, "host name or an address"),
        ({"kind": "mqtt", "host": "a\nb"}, "host name or an address"),
        ({"kind": "mqtt", "host": "h", "username": "u" * 70_000}, "1 to 256 characters"),
        ({**MAIL, "host": "mail..example.net"}, "host name or an address"),
    ],
)
def test_output_configuration_that_is_wrong_is_refused_in_one_line(
    values: dict[str, Any], word: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        read_one(tmp_path, values)
    assert "\n" not in str(caught.value)
    assert "output[0]" in str(caught.value) or str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        *({**MAIL, "host": host} for host in ("mail", "mail.example.net.", "::1", "10.0.0.9")),
        *({**MAIL, "to": [to]} for to in ("o'neil+gw@example.net", "duty@localhost")),
        *({**HOOK, "url": url} for url in ("http://[::1]:8080/x", "https://a_b.local/h?x=1")),
        *({**NTFY, "url": url} for url in ("https://ntfy.sh", "http://10.0.0.9:8080/")),
    ],
)
def test_output_addresses_that_can_be_are_accepted(values: dict[str, Any], tmp_path: Path) -> None:
    read_one(tmp_path, values)


def test_two_connectors_of_one_name_are_refused_over_all_spellings() -> None:
    with pytest.raises(ConfigError, match=r"output\[1\].name 'a' is used twice"):
        connector_tables([], [{"name": "a", **HOOK}, {"name": "a", **HOOK}])
    with pytest.raises(ConfigError, match="home_assistant.name 'home_assistant' is used twice"):
        connector_tables([{"kind": "x", "name": "home_assistant"}], home_assistant={"host": "h"})


def test_home_assistant_with_a_wildcard_in_its_prefix_is_refused(tmp_path: Path) -> None:
    tables = connector_tables([], home_assistant={"host": "h", "prefix": "#"})
    with pytest.raises(ConfigError, match="home_assistant.prefix must be one topic without"):
        read_connectors(tables, tmp_path)


def test_home_assistant_table_with_a_kind_of_its_own_is_refused() -> None:
    with pytest.raises(ConfigError, match="home_assistant.kind is not a known key"):
        connector_tables([], home_assistant={"host": "h", "kind": "ntfy"})


def test_older_spellings_are_read_as_connectors(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    hook = 'url = "https://example.net/hook"\nsecret_env = "GW_TEST_SECRET"\n'
    path.write_text(
        f'{EXAMPLE}\n[[output]]\nname = "a"\nkind = "webhook"\n{hook}'
        f'[[connector]]\nname = "b"\nkind = "webhook"\n{hook}'
        '[home_assistant]\nhost = "127.0.0.1"\n'
    )
    config = load_config(path)
    assert [(kind.kind, one.name) for kind, one in config.connectors] == [
        ("webhook", "b"),
        ("webhook", "a"),
        ("home_assistant", "home_assistant"),
    ]
    assert "example.net" not in repr(config)


def test_connector_type_defines_the_keys_of_its_table(tmp_path: Path) -> None:
    config = read_buzzer(tmp_path, pin=3, token_env="GW_TEST_SECRET", priority=1)
    assert (config.pin, config.token, config.priority) == (3, "from the environment", 1)
    assert "environment" not in repr(config)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "connector[0].pin is missing, e.g. pin = 0"),
        ({"pin": 3}, 'connector[0].token_file is missing, e.g. token_file = "token.key"'),
        ({"pim": 3}, "connector[0].pim is not a known key; remove it or correct it, e.g. pin"),
        ({"kind": "pigeon"}, 'connector[0].kind must be one of bell, buzzer, e.g. kind = "bell"'),
    ],
)
def test_connector_table_that_is_wrong_names_its_key_and_an_example(
    values: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_buzzer(tmp_path, **values)
    assert str(caught.value) == f"gateway.toml: {expected}"


def test_connector_whose_library_is_missing_names_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "gw_buzzer-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gw-buzzer\nVersion: 1.0\n"
        "Requires-Dist: msgspec\nRequires-Dist: no-such-buzzer>=2; extra == 'buzz'\n"
    )
    (info / "entry_points.txt").write_text(
        "[groundwatch.connectors]\nbuzzer = gw_buzzer:TYPE\nbuzzer2 = gw_broken:TYPE [buzz]\n"
    )
    (site / "gw_buzzer.py").write_text(
        "from gateway.ports.connector import ConnectorConfig, ConnectorType\n"
        "TYPE = ConnectorType('buzzer', ConnectorConfig, None, 'It buzzes.', needs='buzz')\n"
    )
    (site / "gw_broken.py").write_text("import no_such_buzzer\n")
    monkeypatch.syspath_prepend(str(site))
    for kind in ("buzzer", "buzzer2"):
        with pytest.raises(ConfigError, match=r'pip install "gw-buzzer\[buzz\]"'):
            read_connectors([ConnectorTable("connector[0]", {"kind": kind, "name": "a"})], tmp_path)


def test_connector_of_groundwatch_whose_library_is_missing_is_refused_before_a_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "groundwatch-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: groundwatch\nVersion: 1.0\n"
        "Requires-Dist: no-such-mailer>=2; extra == 'email'\n"
    )
    (info / "entry_points.txt").write_text(
        "[groundwatch.connectors]\nemail = gateway.connectors.email:TYPE\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r'pip install "groundwatch\[email\]"'):
        find_type("email")


def test_secret_is_shown_neither_by_repr_nor_inside_of_a_struct() -> None:
    class Holder(msgspec.Struct):
        token: Secret

    assert "hidden" not in repr(Holder(Secret("hidden")))
