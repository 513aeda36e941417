# SPDX-License-Identifier: MIT
"""A whole gateway on an external broker: TLS, websockets and MQTT 5 from its configuration."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.errors import ConfigError
from tests.connectors.authority import Authority
from tests.gateway.brokers import running_mosquitto, until_listening
from tests.gateway.played_node import MqttNode, until, write_config
from tests.ports import free_port


@pytest.mark.parametrize("transport", ["tcp", "websockets"])
@pytest.mark.parametrize("version", [3, 5])
async def test_gateway_on_an_external_broker_by_tls_stores_and_answers(
    version: int, transport: str, tmp_path: Path
) -> None:
    authority, plain, secured = Authority(tmp_path), free_port(), free_port()
    certificate, key = authority.give("127.0.0.1")
    own, own_key = authority.give("gateway")
    more = (
        f"user {getpass.getuser()}\nlistener {secured} 127.0.0.1\ncertfile {certificate}\n"
        f"keyfile {key}\ncafile {authority.ca}\nrequire_certificate true\n"
    )
    more += "protocol websockets\n" if transport == "websockets" else ""
    broker = (
        f'kind = "external"\nport = {secured}\ntls = true\nca_file = "{authority.ca.name}"\n'
        f'cert_file = "{own.name}"\ncert_key_file = "{own_key.name}"\n'
        f'transport = "{transport}"\nversion = {version}'
    )
    async with running_mosquitto(tmp_path, plain, more=more):
        await until_listening(secured)
        async with Gateway(load_config(write_config(tmp_path, broker))) as gateway:
            await until(lambda: gateway.links[0].connected)
            node = MqttNode("n01")
            node.connect(plain)
            await until(lambda: node.subscribed)
            node.publish(node.detection(1000))
            await node.until_received()  # the gateway's receipt
            node.disconnect()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('ca_file = "ca.pem"', r"ca\.pem|ca_file"),
        ('tls = true\nca_file = "no-such.pem"', "cannot be read"),
        ('tls = true\ncert_file = "own.pem"', r"own\.pem|cert_file"),
        ('transport = "pigeon"', "transport"),
        ("version = 4", "version"),
        ("version = 6", "version"),
        ('tls = "yes"', "tls"),
    ],
)
def test_external_broker_configured_wrongly_is_an_error_that_names_the_key(
    lines: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_config(write_config(tmp_path, f'kind = "external"\n{lines}'))


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_own_broker_with_options_of_an_external_one_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="external broker"):
        load_config(write_config(tmp_path, f'kind = "{kind}"\ntls = true'))
