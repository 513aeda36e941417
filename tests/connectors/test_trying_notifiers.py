# SPDX-License-Identifier: MIT
"""Testing a notifier: like any notification, one attempt, an answer, an entry in the audit."""

from __future__ import annotations

import asyncio
import getpass
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from gateway.api.service import ConnectorTest
from gateway.app import Gateway
from gateway.commands.client import Client
from gateway.config import load_config
from gateway.console.operators import Role
from gateway.errors import ConfigError
from tests.connectors.receivers import MailServer, WebServer, mail_server, web_server
from tests.connectors.test_connectors_page import FAILING, webhook
from tests.connectors.test_gateway_connectors import configured
from tests.gateway.brokers import running_mosquitto
from tests.gateway.chromium import open_page
from tests.gateway.played_node import until
from tests.gateway.sign_in import enrol, sign_in_page, signed_in
from tests.ports import free_port
from tools.cli import main

MAIL = (
    '[[connector]]\nname = "chief"\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\n'
    'tls = "none"\nfrom = "yard@example.net"\nto = ["chief@example.net"]\n'
)


@asynccontextmanager
async def receivers(folder: Path) -> AsyncIterator[tuple[str, WebServer, MailServer]]:
    """Real ones of three kinds; (their [[connector]] tables, web server, mail server)."""
    port = free_port()
    async with web_server() as hook, mail_server() as mail, running_mosquitto(folder, port):
        tables = (
            webhook(folder, hook.url)
            + MAIL.format(port=mail.port)
            + FAILING.format(name="other_system", port=port)
        )
        yield tables, hook, mail


def audited(folder: Path) -> list[tuple[str, str, str, str]]:
    db = sqlite3.connect(folder / "data" / "groundwatch.db")
    rows = db.execute(
        "SELECT actor, action, subject, reason FROM audit WHERE action LIKE 'output.%' ORDER BY id"
    ).fetchall()
    db.close()
    return rows


async def command(*words: str) -> int:
    return await asyncio.to_thread(main, ["connector", *words])


EVERY_ANSWER = {
    "duty_phone": "answered 204",
    "chief": "the mail server accepted it",
    "other_system": "the broker acknowledged it",
}


async def test_notifiers_are_tested_through_the_running_gateway_by_command_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receivers(tmp_path) as (tables, hook, mail):
        path = configured(tmp_path, tables)
        async with Gateway(load_config(path)):
            assert await command("test", "--json", "--config", str(path)) == 0
            tests = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            assert await command("list", "--config", str(path)) == 0
            listed = capsys.readouterr().out
    assert {test["output"]: test["answer"] for test in tests} == EVERY_ANSWER
    assert all(test["delivered"] for test in tests)
    sent = json.loads(hook.received[0].body)
    assert (sent["alarm"], sent["change"], sent["title"]) == (0, "test", "yard: test of duty_phone")
    assert getpass.getuser() in sent["text"]
    assert mail.handler.messages[0]["Subject"] == "yard: test of chief"
    assert "duty_phone        working  (1 sent, 0 waiting)" in listed
    rows = audited(tmp_path)
    assert (getpass.getuser(), "output.test", "output duty_phone", "") in rows
    assert ("system", "output.sent", "test", "answered 204") in rows
    assert len(rows) == 6


async def test_notifiers_are_tested_from_the_configuration_when_no_gateway_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receivers(tmp_path) as (tables, hook, mail):
        path = configured(tmp_path, tables)
        assert await command("test", "--json", "--config", str(path)) == 0
        tests = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {test["output"]: test["answer"] for test in tests} == EVERY_ANSWER
    assert len(hook.received) == len(mail.handler.messages) == 1
    rows = audited(tmp_path)
    assert (getpass.getuser(), "output.sent", "test", "answered 204") in rows
    assert len(rows) == 6
    store, key = tmp_path / "data" / "groundwatch.db", tmp_path / "data" / "audit.pub"
    assert main(["audit", "verify", str(store), "--key", str(key)]) == 0
    async with Gateway(load_config(path)):
        pass  # goes on where the command's entries end
    assert main(["audit", "verify", str(store), "--key", str(key)]) == 0


@pytest.mark.parametrize("running", [True, False])
async def test_notifier_that_cannot_be_reached_is_tried_once_and_the_command_shows_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], running: bool
) -> None:
    path = configured(tmp_path, FAILING.format(name="chief", port=free_port()))
    if running:
        async with Gateway(load_config(path)) as gateway:
            assert await command("test", "chief", "--config", str(path)) == 1
            assert gateway.service.stages.outbox.pending == {}
    else:
        assert await command("test", "chief", "--config", str(path)) == 1
    answer = "connection refused: nothing accepts connections there"
    assert f"chief: NOT DELIVERED: {answer}\n" in capsys.readouterr().out
    assert [row[1:] for row in audited(tmp_path)] == [
        ("output.test", "output chief", ""),
        ("output.failed", "test", answer),
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["test", "moon"], "there is no notifier 'moon'; there are chief"),
        (["list"], "no gateway answers"),
        (["dance"], "dance"),
    ],
)
def test_connector_command_that_cannot_be_done_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    path = configured(tmp_path, FAILING.format(name="chief", port=1))
    assert main(["connector", *words, "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert (expected in error, error.count("\n")) == (True, 1), error


async def test_notifier_under_test_is_not_tested_twice_at_once(tmp_path: Path) -> None:
    answered = asyncio.Event()

    async def answer(_number: int) -> web.StreamResponse:
        await answered.wait()
        return web.Response()

    async with web_server(answer) as server:
        path = configured(tmp_path, webhook(tmp_path, server.url))
        async with Gateway(load_config(path)):
            post = partial(Client(tmp_path / "data").post, answer=ConnectorTest)
            request = "/connectors/duty_phone/test"
            first = asyncio.create_task(asyncio.to_thread(post, request))
            await until(lambda: server.received)
            with pytest.raises(ConfigError, match="under way"):
                await asyncio.to_thread(post, request)
            answered.set()
            assert (await first).answer == "answered 200"


async def test_console_test_of_a_notifier_is_for_supervisors(tmp_path: Path) -> None:
    enrol(tmp_path, "eva")
    enrol(tmp_path, "sam", Role.SUPERVISOR)
    async with web_server() as server:
        path = configured(tmp_path, webhook(tmp_path, server.url))
        async with Gateway(load_config(path)) as gateway:
            async with signed_in(gateway, "eva") as browser:
                assert (await browser.post("api/v1/connectors/duty_phone/test")).status == 403
            async with signed_in(gateway, "sam") as browser:
                assert (await browser.post("api/v1/connectors/moon/test")).status == 400
                assert (
                    await browser.post("api/v1/connectors/duty_phone/test", {"x": 1})
                ).status == 400
                answer = await browser.post("api/v1/connectors/duty_phone/test")
                assert (await answer.json())["answer"] == "answered 204"
    assert len(server.received) == 1
    assert audited(tmp_path)[0] == ("sam", "output.test", "output duty_phone", "")


async def test_page_supervisor_tests_a_notifier_with_a_button(tmp_path: Path) -> None:
    enrol(tmp_path, "sam", Role.SUPERVISOR)
    async with web_server() as server:
        path = configured(tmp_path, webhook(tmp_path, server.url))
        async with (
            Gateway(load_config(path)) as gateway,
            open_page(tmp_path, gateway.console_url) as page,
        ):
            await sign_in_page(page, "sam")
            await page.press("o")
            await page.shows("no delivery since the gateway started")
            await page.click("#outputs button")
            await page.shows("✓ working", "✓ delivered", "answered 204", "test")
    assert len(server.received) == 1
