# SPDX-License-Identifier: MIT
"""TLS of connectors, with real servers: a wrong certificate is refused, delivery comes later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.errors import ConfigError
from gateway.outbox.outbox import Status
from tests.connectors.authority import Authority
from tests.connectors.made import make, read
from tests.connectors.receivers import as_ntfy, mail_server, web_server
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import until
from tests.outbox.deliveries import changed, deliveries, delivering, secret
from tests.ports import free_port

UNTRUSTED = "its certificate is of an authority that is not trusted: name that in ca_file"
EXPIRED = "its certificate has expired"
ELSEWHERE = "its certificate is for another host"
MAIL = {"kind": "email", "host": "127.0.0.1", "to": ["duty@example.net"], "from": "y@example.net"}


def made(folder: Path, **values: Any) -> object:
    return make(read(folder, **values))


def broker_tls(certificate: Path, key: Path, more: str = "") -> str:
    return f"user root\ncertfile {certificate}\nkeyfile {key}\n{more}"


@asynccontextmanager
async def https(authority: Authority, **shown: Any) -> AsyncIterator[dict[str, Any]]:
    async with web_server(tls=authority.server(**shown)) as server:
        key = secret(authority.folder, "k" * 32)
        yield {"kind": "webhook", "url": server.url, "secret_file": key}


@asynccontextmanager
async def ntfy(authority: Authority, **shown: Any) -> AsyncIterator[dict[str, Any]]:
    async with web_server(tls=authority.server(**shown), reply=as_ntfy) as server:
        yield {"kind": "ntfy", "url": server.root, "topic": "north"}


@asynccontextmanager
async def smtps(authority: Authority, **shown: Any) -> AsyncIterator[dict[str, Any]]:
    async with mail_server(tls=authority.server(**shown)) as server:
        yield {**MAIL, "port": server.port, "tls": "tls"}


@asynccontextmanager
async def starttls(authority: Authority, **shown: Any) -> AsyncIterator[dict[str, Any]]:
    async with mail_server(starttls=authority.server(**shown)) as server:
        yield {**MAIL, "port": server.port, "tls": "starttls"}


@asynccontextmanager
async def mqtts(
    authority: Authority, host: str = "127.0.0.1", **days: Any
) -> AsyncIterator[dict[str, Any]]:
    port = free_port()
    shown = broker_tls(*authority.give(host, **days))
    async with running_mosquitto(authority.folder, port, more=shown):
        yield {"kind": "mqtt", "host": "127.0.0.1", "port": port, "tls": "tls"}


Server = Callable[..., AbstractAsyncContextManager[dict[str, Any]]]
EVERY_WAY = pytest.mark.parametrize("server", [https, ntfy, smtps, starttls, mqtts])


async def delivered(config: dict[str, Any], folder: Path) -> list[tuple[Status, int, str]]:
    """The result of one notification: (status, attempts, answer)."""
    async with delivering(deliveries(folder, **config)) as one:
        one.offer(changed(7))
        await until(lambda: one.settled, 20)
    return [settled[1:] for settled in one.settled]


@EVERY_WAY
async def test_connector_over_tls_accepts_the_authority_it_was_given(
    server: Server, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with server(authority) as config:
        ((status, attempts, _answer),) = await delivered(
            {**config, "ca_file": authority.ca.name}, tmp_path
        )
    assert (status, attempts) == (Status.SENT, 1)


@pytest.mark.parametrize(
    ("shown", "trusted", "problem"),
    [
        ({}, "other", UNTRUSTED),
        ({"host": "elsewhere.example"}, "site", ELSEWHERE),
        ({"host": "127.0.0.2"}, "site", ELSEWHERE),
        ({"since_days": -9, "until_days": -1}, "site", EXPIRED),
    ],
)
@EVERY_WAY
async def test_connector_over_tls_with_a_wrong_certificate_is_refused_and_tried_again(
    server: Server, shown: dict[str, Any], trusted: str, problem: str, tmp_path: Path
) -> None:
    authorities = {name: Authority(tmp_path, name) for name in ("site", "other")}
    async with server(authorities["site"], **shown) as config:
        ca_file = authorities[trusted].ca.name
        assert await delivered({**config, "ca_file": ca_file}, tmp_path) == [
            (Status.FAILED, 4, problem)
        ]


@EVERY_WAY
async def test_connector_over_tls_without_an_authority_of_ours_accepts_no_stranger(
    server: Server, tmp_path: Path
) -> None:
    async with server(Authority(tmp_path)) as config:
        assert await delivered(config, tmp_path) == [(Status.FAILED, 4, UNTRUSTED)]


@pytest.mark.parametrize("way", ["webhook", "email", "mqtt"])
async def test_connector_over_tls_to_a_server_without_it_is_refused(
    way: str, tmp_path: Path
) -> None:
    port = free_port()
    ca_file = Authority(tmp_path).ca.name
    async with running_mosquitto(tmp_path, port), web_server() as web, mail_server() as mail:
        config = {
            "webhook": {
                "kind": "webhook",
                "url": web.url.replace("http:", "https:"),
                "secret_file": secret(tmp_path, "k" * 32),
            },
            "email": {**MAIL, "port": mail.port, "tls": "starttls"},
            "mqtt": {"kind": "mqtt", "host": "127.0.0.1", "port": port, "tls": "tls"},
        }[way]
        ((status, attempts, answer),) = await delivered({**config, "ca_file": ca_file}, tmp_path)
    assert (status, attempts) == (Status.FAILED, 4)
    assert "TLS" in answer or "another port" in answer


async def test_connector_whose_server_renews_its_certificate_delivers_what_was_kept(
    tmp_path: Path,
) -> None:
    authority, port = Authority(tmp_path), free_port()
    config = {"kind": "mqtt", "host": "127.0.0.1", "port": port, "tls": "tls"}
    one = deliveries(tmp_path, **config, ca_file=authority.ca.name)
    expired = authority.give("127.0.0.1", since_days=-9, until_days=-1)
    async with delivering(one):
        async with running_mosquitto(tmp_path, port, more=broker_tls(*expired)):
            one.offer(changed(7))
            await until(lambda: one.status.problem == EXPIRED, 20)
            assert not one.settled
        fine = broker_tls(*authority.give("127.0.0.1"))
        async with running_mosquitto(tmp_path, port, more=fine):
            await until(lambda: one.settled, 20)
    assert one.settled[0][1] is Status.SENT


async def test_mqtt_connector_shows_its_own_certificate_where_the_broker_asks_for_one(
    tmp_path: Path,
) -> None:
    authority, port = Authority(tmp_path), free_port()
    asks = f"cafile {authority.ca}\nrequire_certificate true\n"
    own, key = authority.give("gateway")
    config = {"kind": "mqtt", "host": "127.0.0.1", "port": port, "tls": "tls"}
    config |= {"ca_file": authority.ca.name}
    with_own = config | {"cert_file": own.name, "cert_key_file": key.name}
    async with running_mosquitto(
        tmp_path, port, more=broker_tls(*authority.give("127.0.0.1"), asks)
    ):
        ((status, _attempts, answer),) = await delivered(config, tmp_path)
        assert status is Status.FAILED
        assert "asks for a certificate of ours" in answer
        ((status, _attempts, answer),) = await delivered(with_own, tmp_path)
    assert (status, answer) == (Status.SENT, "the broker acknowledged it")


@pytest.mark.parametrize("server", [https, starttls, mqtts])
def test_connector_over_tls_reports_the_same_in_the_loop_that_the_gateway_uses(
    server: Server, tmp_path: Path
) -> None:
    async def expired() -> list[tuple[Status, int, str]]:
        authority = Authority(tmp_path)
        async with server(authority, since_days=-9, until_days=-1) as config:
            return await delivered({**config, "ca_file": authority.ca.name}, tmp_path)

    assert uvloop.run(expired()) == [(Status.FAILED, 4, EXPIRED)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"ca_file": "nowhere.pem"}, "nowhere.pem: cannot be read"),
        ({"ca_file": "noise.pem"}, "holds no certificate in PEM"),
        ({"ca_file": "site-ca.pem", "cert_file": "site-ca.pem"}, "go together"),
        ({"cert_file": "site-ca.pem", "cert_key_file": "noise.pem"}, "chmod 600"),
        ({"cert_file": "site-ca.pem", "cert_key_file": "secret.key"}, "goes with"),
        ({"tls": "starttls"}, "tls"),
    ],
)
def test_tls_configuration_that_is_wrong_is_refused_in_one_line(
    values: dict[str, str], problem: str, tmp_path: Path
) -> None:
    Authority(tmp_path)
    (tmp_path / "noise.pem").write_text("not a certificate")
    secret(tmp_path, "not a key")
    with pytest.raises(ConfigError, match=problem) as caught:
        made(tmp_path, **{"kind": "mqtt", "host": "127.0.0.1", "tls": "tls", **values})
    assert "\n" not in str(caught.value)


def test_tls_of_a_key_with_a_pass_phrase_is_refused_without_a_prompt(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    authority = Authority(tmp_path)
    certificate, key = authority.give("gateway")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    values = {"cert_file": certificate.name, "cert_key_file": key.name}
    with pytest.raises(ConfigError, match="without pass phrase"):
        made(tmp_path, kind="mqtt", host="127.0.0.1", tls="tls", **values)
