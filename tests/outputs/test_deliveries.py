# SPDX-License-Identifier: MIT
"""Each way of telling, on a real receiver that is well, slow, hostile or away."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.mqtt.session import MqttAccess, MqttSession
from gateway.outputs.courier import Patience
from gateway.outputs.outbox import Status
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import free_port, until
from tests.outputs.receivers import mail_server, web_server
from tests.outputs.told import HASTY, QUICK, T0, S, Told, changed, read, secret

REFUSED = "nobody listens there: the connection was refused"
KEY = "a-shared-secret-of-the-site"


@asynccontextmanager
async def delivering(told: Told) -> AsyncIterator[Told]:
    running = asyncio.create_task(told.courier.run())
    try:
        yield told
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def webhook(folder: Path, url: str, patience: Patience = QUICK) -> Told:
    return Told(read(folder, kind="webhook", url=url, secret_file=secret(folder, KEY)), patience)


async def test_webhook_delivers_signed_json_that_the_receiver_can_check(tmp_path: Path) -> None:
    async with web_server() as server, delivering(webhook(tmp_path, server.url)) as told:
        (delivery,) = told.offer(changed(7))
        await until(lambda: told.settled, 20)
    assert told.settled == [(delivery.id, Status.SENT, 1, "answered 204")]
    (request,) = server.received
    parts = dict(part.split("=") for part in request.headers["X-Groundwatch-Signature"].split(","))
    expected = hmac.new(KEY.encode(), parts["t"].encode() + b"." + request.body, hashlib.sha256)
    assert parts["v1"] == expected.hexdigest()
    assert request.headers["X-Groundwatch-Delivery"] == str(delivery.id)
    assert json.loads(request.body)["alarm"] == 7


async def test_webhook_that_fails_at_first_gets_it_by_retry(tmp_path: Path) -> None:
    async def answer(number: int) -> web.StreamResponse:
        return web.Response(status=503 if number < 3 else 200)

    async with web_server(answer) as server, delivering(webhook(tmp_path, server.url)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert [(status, attempts) for _id, status, attempts, _why in told.settled] == [
        (Status.SENT, 3)
    ]
    assert len({request.headers["X-Groundwatch-Delivery"] for request in server.received}) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
async def test_webhook_that_refuses_for_good_is_asked_once(status: int, tmp_path: Path) -> None:
    async def answer(_number: int) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/elsewhere"})

    async with web_server(answer) as server, delivering(webhook(tmp_path, server.url)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert told.settled == [(1, Status.FAILED, 1, f"answered {status}")]
    assert len(server.received) == 1


async def test_webhook_that_never_answers_ends_by_timeout_and_holds_nobody_up(
    tmp_path: Path,
) -> None:
    hold = asyncio.Event()

    async def answer(_number: int) -> web.StreamResponse:
        await hold.wait()
        return web.Response()

    async with (
        web_server(answer) as server,
        delivering(webhook(tmp_path, server.url, HASTY)) as told,
    ):
        told.offer(changed())
        await until(lambda: server.received)
        # While it hangs, more is taken at once: only this receiver's own queue grows.
        told.offer(changed(2), changed(3))
        assert told.courier.waiting == 2
        await until(lambda: len(told.settled) == 3, 20)
        hold.set()
    assert {status for _id, status, _n, _why in told.settled} == {Status.FAILED}
    assert told.settled[0][2:] == (4, "no answer in time")


async def test_webhook_that_answers_without_end_is_not_read(tmp_path: Path) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"a" * 100_000)
                await writer.drain()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with delivering(webhook(tmp_path, f"http://127.0.0.1:{port}/", HASTY)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    server.close()
    assert told.settled[0][1] is Status.FAILED


async def test_output_problem_in_log_and_record_shows_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"http://127.0.0.1:{free_port()}/hook/token-in-the-path"
    async with delivering(webhook(tmp_path, url)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    said = caplog.text + repr(told.settled) + repr(told.config)
    assert told.settled[0][1] is Status.FAILED
    assert "token-in-the-path" not in said
    assert KEY not in said


async def test_ntfy_gets_title_priority_and_token(tmp_path: Path) -> None:
    async with web_server() as server:
        config = read(
            tmp_path,
            kind="ntfy",
            url=server.url,
            topic="north",
            token_file=secret(tmp_path, "tk_123"),
        )
        async with delivering(Told(config)) as told:
            told.offer(changed(priority=2))
            await until(lambda: told.settled, 20)
    value = json.loads(server.received[0].body)
    assert (value["topic"], value["priority"]) == ("north", 4)
    assert value["title"] == "yard: person in west"
    assert server.received[0].headers["Authorization"] == "Bearer tk_123"


def email(folder: Path, port: int, password: str = "") -> Told:
    login = (
        {"username": "gw", "password_file": secret(folder, password, "mail.key")}
        if password
        else {}
    )
    return Told(
        read(
            folder,
            kind="email",
            host="127.0.0.1",
            port=port,
            tls="none",
            to=["duty@example.net", "chief@example.net"],
            **{"from": "yard@example.net"},
            **login,
        )
    )


async def test_email_arrives_with_text_fields_and_one_message_id(tmp_path: Path) -> None:
    async with (
        mail_server("pass word") as server,
        delivering(email(tmp_path, server.port, "pass word")) as told,
    ):
        told.offer(changed(7))
        await until(lambda: told.settled, 20)
    assert told.settled[0][1] is Status.SENT
    (message,) = server.handler.messages
    assert message["Subject"] == "yard: person in west"
    assert message["To"] == "duty@example.net, chief@example.net"
    text, attached = message.get_payload()
    assert "two nodes agree" in text.get_payload()  # type: ignore[union-attr]  # it is multipart
    assert json.loads(attached.get_payload(decode=True))["alarm"] == 7  # type: ignore[union-attr]  # it is multipart


async def test_email_server_busy_at_first_gets_it_later(tmp_path: Path) -> None:
    async with mail_server(refuse=2) as server, delivering(email(tmp_path, server.port)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert told.settled[0][1:3] == (Status.SENT, 3)


async def test_email_refused_for_good_is_tried_once(tmp_path: Path) -> None:
    async with (
        mail_server(refuse=9, code="554 no") as server,
        delivering(email(tmp_path, server.port)) as told,
    ):
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert told.settled == [(1, Status.FAILED, 1, "mail server answered 554")]
    assert server.handler.asked == 1


async def test_mqtt_notification_is_acknowledged_by_a_real_broker(tmp_path: Path) -> None:
    port, heard = free_port(), list[bytes]()
    async with running_mosquitto(tmp_path, port):
        access = MqttAccess("127.0.0.1", port, None, None, "listener", persistent=False)
        counters = Told(read(tmp_path, kind="mqtt", host="127.0.0.1", port=port)).outbox.counts["x"]
        listener = MqttSession(
            access,
            ["groundwatch/alarms"],
            lambda _t, payload, _id, _r: heard.append(payload),
            counters,
        )
        await listener.open()
        config = read(tmp_path, kind="mqtt", host="127.0.0.1", port=port)
        async with delivering(Told(config)) as told:
            told.offer(changed(7))
            await until(lambda: told.settled and heard)
        listener.close()
    assert told.settled[0][1] is Status.SENT
    assert json.loads(heard[0])["alarm"] == 7


async def test_mqtt_broker_away_is_tried_until_patience_ends(tmp_path: Path) -> None:
    config = read(tmp_path, kind="mqtt", host="127.0.0.1", port=free_port())
    async with delivering(Told(config)) as told:
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert told.settled == [(1, Status.FAILED, 4, REFUSED)]


@asynccontextmanager
async def babbling(chance: random.Random) -> AsyncIterator[int]:
    """A server that answers with noise, or with the begin of something and then noise; its port."""
    begins = (
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"220 mail\r\n",
        b"220-",
        b"\x20\x02\0\0",
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(chance.choice(begins) + chance.randbytes(chance.choice((0, 3, 200, 5000))))
            await writer.drain()
            if chance.random() < 0.5:
                await asyncio.wait_for(reader.read(100), 0.1)
            writer.write(chance.randbytes(40))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("way", ["webhook", "ntfy", "email", "mqtt"])
async def test_output_answered_with_noise_goes_on_and_says_so_in_words_of_ours(
    way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(way)
    async with babbling(chance) as port:
        told = {
            "webhook": lambda: webhook(tmp_path, f"http://127.0.0.1:{port}/", HASTY),
            "ntfy": lambda: Told(
                read(tmp_path, kind="ntfy", url=f"http://127.0.0.1:{port}/", topic="t"), HASTY
            ),
            "email": lambda: email(tmp_path, port),
            "mqtt": lambda: Told(read(tmp_path, kind="mqtt", host="127.0.0.1", port=port), HASTY),
        }[way]()
        told.courier._patience = Patience(first_s=0.001, most_s=0.002, attempts=2, timeout_s=0.3)
        async with delivering(told):
            told.offer(*(changed(number) for number in range(1, 11)))
            await until(lambda: len(told.settled) == 10, 60)
            told.offer(*(changed(number) for number in range(11, 21)), now_us=T0 + 60 * S)
            await until(lambda: len(told.settled) == 20, 60)
    # By chance noise may be an answer; it is never anything that we did not foresee.
    assert sum(status is Status.FAILED for _id, status, _tries, _why in told.settled) > 10
    assert "of our own" not in caplog.text + repr(told.settled)


async def test_output_with_a_fault_of_our_own_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def deliver(self, body: dict[str, Any]) -> str:
            raise KeyError(f"secret word in {body['title']}")

    told = Told(read(tmp_path, kind="mqtt", host="127.0.0.1", port=1))
    told.courier._way = Broken()
    async with delivering(told):
        told.offer(changed())
        await until(lambda: told.settled, 20)
    assert told.settled == [(1, Status.FAILED, 4, "an error of our own: KeyError")]
    assert "secret word in yard" not in caplog.text
