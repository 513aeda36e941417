# SPDX-License-Identifier: MIT
"""Signing on at the console: who is let in, who is not, and how long it lasts."""

from __future__ import annotations

import io
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.console import sessions
from gateway.console.operators import (
    Operator,
    OperatorFile,
    Role,
    load_operators,
    new_operator,
    plain_name,
    save_operators,
)
from gateway.console.sessions import Sessions, Throttle
from gateway.errors import ConfigError
from tests.gateway.chromium import open_page
from tests.gateway.played_node import write_config
from tests.gateway.sign_in import PASSPHRASE, Browser, enrol, sign_in_page, signed_in
from tools.cli import main

EVA = Operator("eva", Role.OPERATOR, "$argon2id$x")


class FakeClock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    enrol(tmp_path)
    enrol(tmp_path, "ben", Role.SUPERVISOR)
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as running:
        yield running


@pytest.fixture
async def stranger(gateway: Gateway) -> AsyncIterator[Browser]:
    browser = Browser(gateway.console_url)
    await browser.arrive()
    yield browser
    await browser.http.close()


async def test_console_shows_a_stranger_the_form_and_nothing_else(
    gateway: Gateway, stranger: Browser
) -> None:
    for path in ("",):
        answer = await stranger.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    for path in ("api/v1/picture", "api/v1/stream"):
        assert (await stranger.get(path)).status == 401
    assert (await stranger.post("api/v1/masks", {})).status == 401
    assert (await stranger.renew())["operator"] is None


async def test_console_session_is_a_cookie_no_script_and_no_other_site_gets(
    gateway: Gateway, stranger: Browser
) -> None:
    answer = await stranger.post("api/session", {"name": "eva", "passphrase": PASSPHRASE})
    (cookie,) = answer.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert len(cookie.value) >= 43
    port = gateway.console_url.rstrip("/").rpartition(":")[2]
    assert cookie.key == f"groundwatch-{port}"


async def test_console_token_from_before_the_sign_in_stays_a_strangers(
    gateway: Gateway, stranger: Browser
) -> None:
    jar = stranger.http.cookie_jar
    before = {cookie.key: cookie.value for cookie in jar}
    assert await stranger.sign_in("eva") == 200
    assert (await stranger.get("api/v1/picture")).status == 200
    jar.clear()
    jar.update_cookies(before)
    assert (await stranger.get("api/v1/picture")).status == 401


async def test_console_wrong_pass_phrase_is_refused_then_made_to_wait(
    gateway: Gateway, stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "the wrong pass phrase"
    for _ in range(sessions.MAX_FAILURES):
        assert await stranger.sign_in("eva", wrong) == 403
    assert await stranger.sign_in("eva") == 429
    assert await stranger.sign_in("ben") == 200
    gateway.facade.refresh()
    state = await (await stranger.get("api/v1/picture")).text()
    assert '"failed":5' in state
    assert wrong not in caplog.text + state
    assert "argon2" not in state


async def test_console_unknown_name_is_refused_alike_and_not_kept(
    gateway: Gateway, stranger: Browser, tmp_path: Path
) -> None:
    body = {"name": "my secret phrase", "passphrase": PASSPHRASE}
    answer = await stranger.post("api/session", body)
    assert answer.status == 403
    assert (await answer.json())["problem"] == "wrong name or pass phrase"
    await stranger.sign_in("eva")
    await stranger.post("api/v1/masks", {"sectors": ["west"], "minutes": 1, "reason": "commit"})
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("groundwatch.db*"))
    assert b"operator.refused" in stored
    assert b"my secret phrase" not in stored


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"name": "eva"}', b'{"name": 1, "passphrase": "x"}',
        b'{"name": "eva", "passphrase": "four words are long", "role": "supervisor"}',
        b'{"name": "' + b"x" * 33 + b'", "passphrase": "x"}',
        b'{"name": "eva", "passphrase": "' + b"x" * 257 + b'"}',
    ],
)  # fmt: skip
async def test_console_sign_in_that_is_not_one_is_refused(
    gateway: Gateway, stranger: Browser, body: bytes
) -> None:
    assert (await stranger.post("api/session", body)).status == 400


async def test_console_operator_who_is_removed_is_out_at_once(
    gateway: Gateway, tmp_path: Path
) -> None:
    async with signed_in(gateway, "eva") as eva:
        assert (await eva.get("api/v1/picture")).status == 200
        path = tmp_path / "operators.toml"
        known = load_operators(path)
        del known["eva"]
        save_operators(path, known)
        assert (await eva.get("api/v1/picture")).status == 401


async def test_console_sign_out_ends_the_session_for_good(gateway: Gateway) -> None:
    async with signed_in(gateway, "eva") as eva:
        kept = {cookie.key: cookie.value for cookie in eva.http.cookie_jar}
        assert (await eva.post("api/session/end")).status == 200
        eva.http.cookie_jar.update_cookies(kept)
        assert (await eva.get("api/v1/picture")).status == 401


async def test_console_without_operators_shows_how_to_make_one(tmp_path: Path) -> None:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as gateway:
        browser = Browser(gateway.console_url)
        await browser.arrive()
        answer = await browser.post("api/session", {"name": "eva", "passphrase": PASSPHRASE})
        assert "groundwatch operator add" in (await answer.json())["problem"]
        await browser.http.close()


async def test_sign_in_by_the_form_in_a_browser(gateway: Gateway, tmp_path: Path) -> None:
    async with open_page(tmp_path, gateway.console_url) as page:
        await page.becomes("document.querySelector('#sign-in button:enabled') !== null")
        await page.click("#name")
        await page.type("eva")
        await page.press("Tab")
        await page.type("not the pass phrase")
        await page.press("Enter")
        await page.shows("wrong name or pass phrase")
        await page.ask("window.before = true; location.reload()")
        await page.becomes("window.before === undefined")
        await sign_in_page(page)
        await page.shows("SECURE")
        await page.click("#sign-out")
        await page.shows("Pass phrase")


def test_session_lasts_one_shift() -> None:
    clock = FakeClock()
    held = Sessions(clock)
    token = held.sign_in(EVA)
    clock.now_s += sessions.SHIFT_S - 1
    assert held.of(token) is not None
    assert held.on_duty() == {"eva"}
    clock.now_s += 1
    assert held.of(token) is None
    assert held.on_duty() == set()


def test_sessions_are_bounded_and_the_oldest_goes() -> None:
    held = Sessions(FakeClock())
    tokens = [held.sign_in(EVA) for _ in range(sessions.MAX_SESSIONS + 1)]
    assert held.of(tokens[0]) is None
    assert all(held.of(token) for token in tokens[1:])


def test_csrf_token_is_of_one_session() -> None:
    held, other = Sessions(FakeClock()), Sessions(FakeClock())
    assert held.csrf_fits("a", held.csrf("a"))
    for wrong in (held.csrf("b"), other.csrf("a"), "", "a", "é"):
        assert not held.csrf_fits("a", wrong)


def test_throttle_forgets_after_its_window_and_bounds_all_names_together() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    for _ in range(sessions.MAX_FAILURES):
        assert throttle.wait_s("eva") == 0
        throttle.failure("eva")
    assert throttle.wait_s("eva") == sessions.FAILURE_WINDOW_S
    assert throttle.wait_s("ben") == 0
    clock.now_s += sessions.FAILURE_WINDOW_S
    assert throttle.wait_s("eva") == 0
    for number in range(sessions.MAX_FAILURES_ALL):
        throttle.failure(f"n{number}")
    assert throttle.wait_s("ben") > 0


def test_operators_survive_their_file_which_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "operators.toml"
    zoe = new_operator("Zoë K.", Role.SUPERVISOR, PASSPHRASE)
    save_operators(path, {zoe.name: zoe})
    assert load_operators(path) == {"Zoë K.": zoe}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSPHRASE not in path.read_text()
    file = OperatorFile(path)
    assert file.verify("Zoe\u0308 K.", f" {PASSPHRASE} ") == zoe  # as another keyboard composes it
    assert file.verify("Zoë K.", PASSPHRASE.upper()) is None
    assert file.verify("zoë", PASSPHRASE) is None


@pytest.mark.parametrize("name", ["", " eva", "eva ", "x" * 33, 'e"va', "e\nva", "system", "-x"])
def test_operator_name_that_is_not_one_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        plain_name(name)


ENTRY = '[[operator]]\nname = "eva"\nrole = "operator"\nhash = "$argon2id$x"\n'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (ENTRY + ENTRY, "twice"),
        (ENTRY.replace('operator"', 'root"'), "role"),
        (ENTRY.replace("$argon2id$x", "plain"), "hash"),
        (ENTRY.replace("eva", "e\\nva"), "name"),
        (ENTRY + "admin = true\n", "admin"),
        ("[[operater]]\n", "operater"),
    ],
)
def test_operators_file_that_is_wrong_is_one_line_with_the_key(
    tmp_path: Path, text: str, names: str
) -> None:
    path = tmp_path / "operators.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_operators(path)
    assert names in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", "127.0.0.1.evil"])
def test_console_host_that_others_can_reach_is_refused(tmp_path: Path, host: str) -> None:
    path = write_config(tmp_path, "port = 0")
    path.write_text(path.read_text().replace("[console]", f'[console]\nhost = "{host}"'))
    with pytest.raises(ConfigError, match=r"console\.host"):
        load_config(path)


def test_operator_command_adds_lists_and_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(write_config(tmp_path, "port = 0"))]
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSPHRASE + "\n"))
    assert main(["operator", "add", "Eva M.", "--role", "supervisor", *config]) == 0
    assert main(["operator", "list", *config]) == 0
    assert "supervisor  Eva M." in capsys.readouterr().out
    assert OperatorFile(tmp_path / "operators.toml").verify("Eva M.", PASSPHRASE) is not None
    assert main(["operator", "remove", "Eva M.", *config]) == 0
    assert load_operators(tmp_path / "operators.toml") == {}


@pytest.mark.parametrize(
    ("words", "typed", "expected"),
    [
        (["add"], PASSPHRASE, "groundwatch operator add"),
        (["add", "eva"], "short", "8 to 256"),
        (["add", "eva"], "", "8 to 256"),
        (["add", "e;va"], PASSPHRASE, "letters"),
        (["add", "eva", "--role", "king"], PASSPHRASE, "role"),
        (["remove", "eva"], "", "operator list"),
        (["promote", "eva"], "", "there is no verb"),
    ],
)
def test_operator_command_that_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], typed: str, expected: str,
) -> None:  # fmt: skip
    config = ["--config", str(write_config(tmp_path, "port = 0"))]
    monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
    assert main(["operator", *words, *config]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
    assert PASSPHRASE not in error
