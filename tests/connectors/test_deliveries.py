# SPDX-License-Identifier: MIT
"""Each notifier, with a real receiver that works, is slow, hostile or away."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.mqtt.session import MqttAccess, MqttSession
from gateway.outbox.outbox import Status
from gateway.outbox.worker import RetryPolicy
from tests.connectors.receivers import as_ntfy, mail_server, web_server
from tests.gateway.brokers import running_mosquitto
from tests.gateway.played_node import until
from tests.outbox.deliveries import (
    HASTY,
    QUICK,
    T0,
    Deliveries,
    S,
    changed,
    deliveries,
    delivering,
    secret,
)
from tests.ports import free_port

REFUSED = "connection refused: nothing accepts connections there"
KEY = "a-shared-secret-of-the-site"


def webhook(folder: Path, url: str, retry: RetryPolicy = QUICK) -> Deliveries:
    return deliveries(folder, retry, kind="webhook", url=url, secret_file=secret(folder, KEY))


async def test_webhook_delivers_signed_json_that_the_receiver_can_check(tmp_path: Path) -> None:
    async with web_server() as server, delivering(webhook(tmp_path, server.url)) as made:
        (delivery,) = made.offer(changed(7))
        await until(lambda: made.settled, 20)
    assert made.settled == [(delivery.id, Status.SENT, 1, "answered 204")]
    (request,) = server.received
    parts = dict(part.split("=") for part in request.headers["X-Groundwatch-Signature"].split(","))
    expected = hmac.new(KEY.encode(), parts["t"].encode() + b"." + request.body, hashlib.sha256)
    assert parts["v1"] == expected.hexdigest()
    assert request.headers["X-Groundwatch-Delivery"] == str(delivery.id)
    assert json.loads(request.body)["alarm"] == 7


async def test_webhook_that_fails_at_first_gets_it_by_retry(tmp_path: Path) -> None:
    async def answer(number: int) -> web.StreamResponse:
        return web.Response(status=503 if number < 3 else 200)

    async with web_server(answer) as server, delivering(webhook(tmp_path, server.url)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [(status, attempts) for _id, status, attempts, _why in made.settled] == [
        (Status.SENT, 3)
    ]
    assert len({request.headers["X-Groundwatch-Delivery"] for request in server.received}) == 1


@pytest.mark.parametrize("status", [400, 410, 413, 422])
async def test_webhook_that_refuses_for_good_is_asked_once(status: int, tmp_path: Path) -> None:
    async def answer(_number: int) -> web.StreamResponse:
        return web.Response(status=status)

    async with web_server(answer) as server, delivering(webhook(tmp_path, server.url)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [(Status.FAILED, 1, f"answered {status}")]
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 405, 407, 408, 429, 502, 511])
async def test_webhook_behind_a_proxy_or_a_portal_gets_it_when_that_is_gone(
    status: int, tmp_path: Path
) -> None:
    async def answer(number: int) -> web.StreamResponse:
        elsewhere = {"Location": "http://127.0.0.1:1/elsewhere"}
        return web.Response(status=status if number < 3 else 204, headers=elsewhere)

    async with web_server(answer) as server, delivering(webhook(tmp_path, server.url)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [(Status.SENT, 3, "answered 204")]


async def test_webhook_that_never_answers_ends_by_timeout_and_delays_no_other(
    tmp_path: Path,
) -> None:
    hold = asyncio.Event()

    async def answer(_number: int) -> web.StreamResponse:
        await hold.wait()
        return web.Response()

    async with (
        web_server(answer) as server,
        delivering(webhook(tmp_path, server.url, HASTY)) as made,
    ):
        made.offer(changed())
        await until(lambda: server.received)
        # While it hangs, more is taken at once: only this receiver's own queue grows.
        made.offer(changed(2), changed(3))
        assert made.worker.waiting == 3  # with the one that hangs
        await until(lambda: len(made.settled) == 3, 20)
        hold.set()
    assert {status for _id, status, _n, _why in made.settled} == {Status.FAILED}
    assert made.settled[0][2:] == (4, "no answer in time")


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
    async with delivering(webhook(tmp_path, f"http://127.0.0.1:{port}/", HASTY)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    server.close()
    assert made.settled[0][1] is Status.FAILED


async def test_notifier_problem_in_log_and_record_shows_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"http://127.0.0.1:{free_port()}/hook/token-in-the-path"
    async with delivering(webhook(tmp_path, url)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    logged = caplog.text + repr(made.settled) + repr(made.config)
    assert made.settled[0][1] is Status.FAILED
    assert "token-in-the-path" not in logged
    assert KEY not in logged


async def test_ntfy_gets_title_priority_and_token(tmp_path: Path) -> None:
    async with web_server(reply=as_ntfy) as server:
        ntfy = deliveries(
            tmp_path,
            kind="ntfy",
            url=server.root,
            topic="north",
            token_file=secret(tmp_path, "tk_123"),
        )
        async with delivering(ntfy) as made:
            made.offer(changed(priority=2))
            await until(lambda: made.settled, 20)
    value = json.loads(server.received[0].body)
    assert (value["topic"], value["priority"]) == ("north", 4)
    assert value["title"] == "yard: person in west"
    assert server.received[0].headers["Authorization"] == "Bearer tk_123"


@pytest.mark.parametrize(
    "body", [b"", b"<html>Accept the terms of this hotel</html>", b"[]", b'{"event": "message"}']
)
async def test_ntfy_that_a_portal_answers_in_place_of_is_not_delivered(
    body: bytes, tmp_path: Path
) -> None:
    async def portal(_request: web.Request, _body: bytes) -> web.StreamResponse:
        return web.Response(body=body)

    async with web_server(reply=portal) as server:
        made = deliveries(tmp_path, kind="ntfy", url=server.root, topic="north")
        async with delivering(made):
            made.offer(changed())
            await until(lambda: made.settled, 20)
    problem = "answered 200, but not as ntfy does: a portal, or no ntfy"
    assert [one[1:] for one in made.settled] == [(Status.FAILED, QUICK.attempts, problem)]


def email(
    folder: Path, port: int, password: str = "", to: Sequence[str] = ("duty@example.net",)
) -> Deliveries:
    login = (
        {"username": "gw", "password_file": secret(folder, password, "mail.key")}
        if password
        else {}
    )
    return deliveries(
        folder,
        kind="email",
        host="127.0.0.1",
        port=port,
        tls="none",
        to=list(to),
        **{"from": "yard@example.net"},
        **login,
    )


async def test_email_arrives_with_text_fields_and_one_message_id(tmp_path: Path) -> None:
    async with (
        mail_server("pass word") as server,
        delivering(email(tmp_path, server.port, "pass word")) as made,
    ):
        made.offer(changed(7))
        await until(lambda: made.settled, 20)
    assert made.settled[0][1] is Status.SENT
    (message,) = server.handler.messages
    assert message["Subject"] == "yard: person in west"
    assert message["To"] == "duty@example.net"
    text, attached = message.get_payload()
    assert "two nodes agree" in text.get_payload()  # type: ignore[union-attr]  # it is multipart
    assert json.loads(attached.get_payload(decode=True))["alarm"] == 7  # type: ignore[union-attr]  # it is multipart


async def test_email_server_busy_at_first_gets_it_later(tmp_path: Path) -> None:
    async with mail_server(refuse=2) as server, delivering(email(tmp_path, server.port)) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert made.settled[0][1:3] == (Status.SENT, 3)


BUSY = "451 4.7.1 Greylisted, try again later"
NO_USER = "550 5.1.1 No such user"


async def test_email_to_two_persons_one_refused_reaches_the_other_and_records_both(
    tmp_path: Path,
) -> None:
    people = ("gone@example.net", "duty@example.net")
    async with (
        mail_server(recipient=lambda to: NO_USER if to.startswith("gone") else None) as server,
        delivering(email(tmp_path, server.port, to=people)) as made,
    ):
        made.offer(changed(7))
        await until(lambda: len(made.settled) == 2, 20)
    results = {one.recipient: (one.status, one.problem) for one in made.outbox.recent}
    assert results == {
        "gone@example.net": (Status.FAILED, "mail server answered 550"),
        "duty@example.net": (Status.SENT, ""),
    }
    (message,) = server.handler.messages
    assert message["To"] == "duty@example.net"


async def test_email_greylisted_for_one_recipient_is_sent_to_each_once(tmp_path: Path) -> None:
    asked = Counter[str]()

    def recipient(to: str) -> str | None:
        asked[to] += 1
        return BUSY if to.startswith("duty") and asked[to] < 3 else None

    people = ("duty@example.net", "chief@example.net")
    async with (
        mail_server(recipient=recipient) as server,
        delivering(email(tmp_path, server.port, to=people)) as made,
    ):
        made.offer(changed(7))
        await until(lambda: len(made.settled) == 2, 20)
    assert asked == {"duty@example.net": 3, "chief@example.net": 1}
    assert sorted(one["To"] for one in server.handler.messages) == sorted(people)
    assert {status for _id, status, _n, _why in made.settled} == {Status.SENT}


async def test_email_greets_with_its_address_since_servers_refuse_a_bare_host_name(
    tmp_path: Path,
) -> None:
    async with mail_server() as server, delivering(email(tmp_path, server.port)) as made:
        made.offer(changed(7))
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [(Status.SENT, 1, "the mail server accepted it")]
    assert server.handler.greetings == ["[127.0.0.1]"]


async def test_email_refused_for_good_is_tried_once(tmp_path: Path) -> None:
    async with (
        mail_server(refuse=9, code="554 no") as server,
        delivering(email(tmp_path, server.port)) as made,
    ):
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [(Status.FAILED, 1, "mail server answered 554")]
    assert server.handler.asked == 1


async def test_mqtt_notification_is_acknowledged_by_a_real_broker(tmp_path: Path) -> None:
    port, received = free_port(), list[bytes]()
    async with running_mosquitto(tmp_path, port):
        access = MqttAccess("127.0.0.1", port, None, None, "listener", persistent=False)
        listener = MqttSession(
            access,
            ["groundwatch/alarms"],
            lambda _topic, payload, _id, _retained: received.append(payload),
            Counter(),
        )
        await listener.open()
        mqtt = deliveries(tmp_path, kind="mqtt", host="127.0.0.1", port=port)
        async with delivering(mqtt) as made:
            made.offer(changed(7))
            await until(lambda: made.settled and received)
        listener.close()
    assert made.settled[0][1] is Status.SENT
    assert json.loads(received[0])["alarm"] == 7


async def test_mqtt_broker_away_is_tried_until_the_retries_end(tmp_path: Path) -> None:
    away = deliveries(tmp_path, kind="mqtt", host="127.0.0.1", port=free_port())
    async with delivering(away) as made:
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [(Status.FAILED, 4, REFUSED)]


@asynccontextmanager
async def babbling(rng: random.Random) -> AsyncIterator[int]:
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
            writer.write(rng.choice(begins) + rng.randbytes(rng.choice((0, 3, 200, 5000))))
            await writer.drain()
            if rng.random() < 0.5:
                await asyncio.wait_for(reader.read(100), 0.1)
            writer.write(rng.randbytes(40))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("kind", ["webhook", "ntfy", "email", "mqtt"])
async def test_notifier_answered_with_noise_goes_on_and_records_it_in_our_words(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(kind)
    async with babbling(rng) as port:
        made = {
            "webhook": lambda: webhook(tmp_path, f"http://127.0.0.1:{port}/", HASTY),
            "ntfy": lambda: deliveries(
                tmp_path, HASTY, kind="ntfy", url=f"http://127.0.0.1:{port}/", topic="t"
            ),
            "email": lambda: email(tmp_path, port),
            "mqtt": lambda: deliveries(tmp_path, HASTY, kind="mqtt", host="127.0.0.1", port=port),
        }[kind]()
        made.worker.retry = RetryPolicy(first_s=0.001, max_s=0.002, attempts=2, timeout_s=0.3)
        async with delivering(made):
            made.offer(*(changed(number) for number in range(1, 11)))
            await until(lambda: len(made.settled) == 10, 60)
            made.offer(*(changed(number) for number in range(11, 21)), now_us=T0 + 60 * S)
            await until(lambda: len(made.settled) == 20, 60)
    # By rng noise may be an answer; it is never anything that we did not foresee.
    assert sum(status is Status.FAILED for _id, status, _tries, _why in made.settled) > 10
    assert "of our own" not in caplog.text + repr(made.settled)


async def test_notifier_with_a_fault_of_our_own_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def deliver(self, body: dict[str, Any]) -> str:
            raise KeyError(f"secret text in {body['title']}")

    made = deliveries(tmp_path, kind="mqtt", host="127.0.0.1", port=1)
    made.worker.notifier = Broken()
    async with delivering(made):
        made.offer(changed())
        await until(lambda: made.settled, 20)
    assert [one[1:] for one in made.settled] == [
        (Status.FAILED, 4, "an error of our own: KeyError")
    ]
    assert "secret text in yard" not in caplog.text
