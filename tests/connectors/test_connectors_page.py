# SPDX-License-Identifier: MIT
"""Connectors on the page in a real browser: what works, what fails, what was delivered."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.connectors.receivers import mail_server, web_server
from tests.gateway.test_console_page import CONTRAST, walk, watch
from tests.outbox.deliveries import secret
from tests.ports import free_port

FAILING = '[[connector]]\nname = "{name}"\nkind = "mqtt"\nhost = "127.0.0.1"\nport = {port}\n'


def webhook(folder: Path, url: str, name: str = "duty_phone") -> str:
    key = secret(folder, "k" * 32, f"{name}.key")
    return (
        f'[[connector]]\nname = "{name}"\nkind = "webhook"\nurl = "{url}"\nsecret_file = "{key}"\n'
    )


async def test_page_shows_which_notifier_works_and_what_was_delivered_about_an_alarm(
    tmp_path: Path,
) -> None:
    async with web_server() as server:
        tables = webhook(tmp_path, server.url) + FAILING.format(name="chief", port=free_port())
        async with watch(tmp_path, tables) as (_gateway, page, nodes):
            await page.press("o")
            await page.shows(
                "duty_phone", "no delivery since the gateway started", "no delivery yet"
            )
            walk(nodes, 1, 2)
            await page.shows(
                "✓ working",
                "✗ FAILING since",
                "connection refused: nothing accepts connections there",
                "1 PENDING",
                "Notified: ",
                "duty_phone ✓",
                "chief (pending)",
                "✗ 1 failing",
            )
            await page.becomes("document.querySelector('.notified').open === false")
            await page.click(".notified summary")
            await page.becomes("document.querySelector('.notified').open === true")
            record = await page.ask("document.querySelector('.notified table').innerText")
            assert "answered 204" in record and "duty_phone\traised\t1 attempt" in record
            assert await page.ask(CONTRAST) == []
            await page.press("d")
            await page.becomes(
                "document.querySelector('dialog caption')?.innerText === 'Notifications'"
            )


async def test_page_delivery_given_up_is_shown_as_not_delivered(tmp_path: Path) -> None:
    async def answer(_number: int) -> web.StreamResponse:
        return web.Response(status=410)

    async with (
        web_server(answer) as server,
        watch(tmp_path, webhook(tmp_path, server.url)) as (_gateway, page, nodes),
    ):
        walk(nodes, 1, 2)
        await page.shows("duty_phone ✗ NOT NOTIFIED")
        await page.press("o")
        await page.shows("✗ FAILED, no more attempts: answered 410", "1 FAILED")


MAIL = (
    '[[connector]]\nname = "mail"\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\n'
    'tls = "none"\nfrom = "yard@example.net"\nto = ["chief@example.net", "duty@example.net"]\n'
)


async def test_page_names_the_person_that_a_notification_did_not_reach(tmp_path: Path) -> None:
    def recipient(to: str) -> str | None:
        return "550 5.1.1 No such user" if to.startswith("chief") else None

    async with (
        mail_server(recipient=recipient) as server,
        watch(tmp_path, MAIL.format(port=server.port)) as (_gateway, page, nodes),
    ):
        walk(nodes, 1, 2)
        await page.shows("mail: chief@example.net ✗ NOT NOTIFIED", "mail: duty@example.net ✓")
        await page.press("o")
        await page.shows(
            "1 not reached",
            "NOT REACHED: chief@example.net since",
            "mail server answered 550",
            "mail: duty@example.net",
        )
        assert await page.ask(CONTRAST) == []
    assert [one["To"] for one in server.handler.messages] == ["duty@example.net"]
    detail = _audited(tmp_path)
    assert detail == {"output.failed": "chief@example.net", "output.sent": "duty@example.net"}


def _audited(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "data" / "groundwatch.db")) as db:
        rows = db.execute(
            "SELECT action, detail_json FROM audit WHERE action LIKE 'output.%'"
        ).fetchall()
    return {action: json.loads(detail)["to"] for action, detail in rows}


async def test_page_without_connectors_shows_that_alarms_are_there_only(tmp_path: Path) -> None:
    async with watch(tmp_path) as (_gateway, page, _nodes):
        await page.press("o")
        text = await page.shows("Alarms are shown on this page only")
        assert "DELIVERY LOG" not in text


@pytest.mark.parametrize("width", [360, 1440])
async def test_page_connectors_are_never_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    async with web_server() as server:
        tables = webhook(tmp_path, server.url) + FAILING.format(
            name="a_name_of_16_let", port=free_port()
        )
        async with watch(tmp_path, tables) as (_gateway, page, nodes):
            await page.resize(width, 800)
            walk(nodes, 1, 2)
            await page.press("o")
            await page.shows("✗ FAILING since", "✓ working")
            assert await page.ask("document.documentElement.scrollWidth") <= width
