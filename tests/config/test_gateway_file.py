# SPDX-License-Identifier: MIT
"""Configuration: each error is reported in one line that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import config
from gateway.config.site import load_site
from gateway.errors import ConfigError

NODE = '[site]\nname = "yard"\n[[node]]\nid = "n01"\nx_m = 0\ny_m = 0\n'


def test_config_example_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(config.EXAMPLE)
    read = config.load_config(path)
    assert read.data_dir == tmp_path / "data"
    assert read.broker.kind is config.BrokerKind.EMBEDDED
    assert read.console.host == "127.0.0.1"
    assert read.broker.host == "0.0.0.0"  # nodes reach no loopback address


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (("[broker]", "[brokr]"), "brokr"),
        (('kind = "embedded"', 'kind = "rabbit"'), "broker.kind"),
        (("port = 1883", "port = 99999"), "broker.port"),
        (("port = 1883", 'port = "1883"'), "broker.port"),
        (("port = 1883", "prot = 1883"), "broker.prot"),
        (("port = 1883", 'username = "x"'), "broker.username"),
        (("[gateway]", "[gateway"), "TOML"),
        (('site = "site.toml"', 'site = "a\\u0000b"'), "gateway.site"),
        (
            ("[console]", '[[connector]]\nkind = "pigeon"\nname = "a"\n[console]'),
            "connector[0].kind",
        ),
        (("[gateway]\n", "[other]\n"), "gateway"),
    ],
)
def test_config_wrong_is_one_line_with_the_key(
    tmp_path: Path, change: tuple[str, str], names: str
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(config.EXAMPLE.replace(*change, 1))
    with pytest.raises(ConfigError) as error:
        config.load_config(path)
    assert names in str(error.value)
    assert "\n" not in str(error.value)


def test_config_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load_config(tmp_path / "none.toml")


def read(folder: Path, change: tuple[str, str]) -> config.GatewayConfig:
    path = folder / "gateway.toml"
    path.write_text(config.EXAMPLE.replace(*change, 1))
    return config.load_config(path)


BROKER = 'kind = "embedded"        # embedded | mosquitto | external\n'
EXTERNAL = 'kind = "external"\n'


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("port = 1883", "port = 99999"),
            "broker.port must be a whole number 0 to 65535, e.g. port = 1883",
        ),
        (
            ("port = 1883", "prot = 1883"),
            "broker.prot is not a known key; remove it or correct it, e.g. port",
        ),
        (
            ("[console]", "[konsole]"),
            "konsole is not a known key; remove it or correct it, e.g. console",
        ),
        (
            ('host = "127.0.0.1"       # this', 'host = "0.0.0.0"  # this'),
            'console.host must be of this machine, such as 127.0.0.1, e.g. host = "127.0.0.1"',
        ),
        (
            (BROKER, EXTERNAL + "version = 4\n"),
            "broker.version must be one of 3, 5, e.g. version = 3",
        ),
        (
            (BROKER, BROKER + "tls = true\n"),
            'broker.tls is for an external broker, e.g. kind = "external"',
        ),
        (
            (BROKER, EXTERNAL + 'ca_file = "gateway.toml"\n'),
            "broker.ca_file needs TLS",
        ),
        (
            (BROKER, EXTERNAL + 'websocket_path = "mqtt"\n'),
            "broker.websocket_path must be a path that starts with /, e.g. websocket_path",
        ),
        (
            ("[console]", "[api]\nport = -1\n[console]"),
            "api.port must be a whole number",
        ),
        (("[console]", '[api]\nhost = "10.0.0.1"\n[console]'), "api.host must be of this machine"),
        (
            ("[console]", "[[serial]]\nbaud = 9600\n[console]"),
            "serial[0].port is missing",
        ),
        (("[console]", "serial = [3]\n[console]"), "broker.serial is not a known key"),
        (
            ("[console]", '[store]\nurl = "mysql://x"\n[console]'),
            "store.url must begin with postgresql://",
        ),
    ],
)
def test_config_wrong_states_what_the_key_must_be_and_an_example(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, change)
    assert str(error.value).startswith(f"{tmp_path}/gateway.toml: {expected}")


def test_external_broker_with_tls_has_its_own_port_and_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("an authority")
    tls = EXTERNAL + 'tls = true\nca_file = "ca.pem"\ntransport = "websockets"\nversion = 5\n'
    broker = read(tmp_path, (BROKER, tls)).broker
    assert (broker.port, broker.transport, broker.version) == (1883, "websockets", 5)
    assert broker.trusted is not None
    assert broker.trusted.ca == tmp_path / "ca.pem"
    before = broker
    without_port = config.EXAMPLE.replace(BROKER, tls).replace("port = 1883", "", 1)
    path = tmp_path / "gateway.toml"
    path.write_text(without_port)
    assert config.load_config(path).broker.port == 8883
    (tmp_path / "ca.pem").write_text("another authority")
    assert read(tmp_path, (BROKER, tls)).broker != before


def test_broker_password_from_a_file_is_shown_nowhere(tmp_path: Path) -> None:
    key = tmp_path / "broker.key"
    key.touch(mode=0o600)
    key.write_text("between us\n")
    given = EXTERNAL + 'username = "gateway"\npassword_file = "broker.key"\n'
    broker = read(tmp_path, (BROKER, given)).broker
    assert broker.password == "between us"
    assert "between us" not in repr(broker)


def test_config_api_is_beside_the_file_and_without_a_port_by_default(tmp_path: Path) -> None:
    api = read(tmp_path, ("", "")).api
    assert (api.host, api.port, api.tokens) == ("127.0.0.1", None, tmp_path / "tokens.toml")
    api = read(tmp_path, ("[console]", "[api]\nport = 0\n[console]")).api
    assert api.port == 0


def test_site_without_a_node_yet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text('[site]\nname = "yard"\n')
    site = load_site(path)
    assert (site.name, site.nodes, site.sectors) == ("yard", {}, {})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (NODE.replace('"yard"', '"Yard 1"'), "site.name"),
        (NODE + NODE.partition("\n[[")[2].replace("node]]", "[[node]]"), "twice"),
        (NODE.replace('"n01"', '"gateway"'), "id"),
        (NODE.replace("x_m = 0", "x_m = true"), "x_m"),
        (NODE.replace("x_m = 0", "x_m = nan"), "x_m"),
        (NODE + '[[sector]]\nid = "s"\npolygon = [[0, nan]]\n', "polygon"),
        (NODE + f'[[sector]]\nid = "s"\npolygon = [[0, 1{"0" * 400}]]\n', "polygon"),
        (NODE + "colour = 1\n", "colour"),
        (NODE + '[[sector]]\nid = "s"\npolygon = [[0, "a"]]\n', "polygon"),
    ],
)
def test_site_wrong_is_one_line_with_the_key(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_site(path)
    assert names in str(error.value)
    assert "\n" not in str(error.value)
