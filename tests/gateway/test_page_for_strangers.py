# SPDX-License-Identifier: MIT
"""The operator's page on a bad night: a session that ends, a restart, a telephone, a storm of
alarms, names of all scripts, no mouse."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.alarms import NodeCondition
from gateway.app import Gateway
from gateway.config import load_config
from gateway.model.actions.acts import AnnounceWalk, SetMask
from gateway.model.alarm import AlarmKind
from gateway.service.running.intake_stage import Work
from tests.gateway.chromium import open_page
from tests.gateway.played_node import write_config, write_site
from tests.gateway.sign_in import enrol, sign_in_page
from tests.gateway.test_console_page import CONTRAST, walk, watch
from tests.ports import free_port

HEBREW = "\u05e9\u05e8\u05d4"  # Sarah, written from right to left
CALLS = "Number(document.getElementById('sound').dataset.played)"
# Elements, but for tables that scroll, that reach beyond the screen.
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((e) => e.checkVisibility()
  && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".wide") && !e.closest("svg"))
  .map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`)"""
# Pairs of words on the plan of which one covers the other.
COVERED = """(() => { const all = [...document.querySelectorAll("#plan text")];
  const box = all.map((e) => e.getBoundingClientRect()); const pairs = [];
  for (let i = 0; i < all.length; i++) for (let j = 0; j < i; j++) {
    const a = box[i], b = box[j];
    if (a.left < b.right - 1 && b.left < a.right - 1
      && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      pairs.push(all[i].textContent + " " + all[j].textContent);
  } return [all.length, pairs]; })()"""


async def storm(gateway: Gateway, count: int) -> None:
    """So many alarms at once."""

    intake = gateway.service.stages.intake
    given = [
        NodeCondition(AlarmKind.TAMPER, "n01", "west", f"{number}", True, "opened")
        for number in range(count)
    ]
    await gateway.service.intake_stage.request(
        lambda now_us: Work([e for one in given for e in intake.append(now_us, "n01", one)])
    )


async def test_page_whose_session_ended_shows_nothing_and_calls_until_an_operator_signs_in(
    tmp_path: Path,
) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        await page.shows("Sound on")
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        await page.press("a")
        await page.shows("acknowledged by eva")
        before = await page.ask(CALLS)
        gateway.console._authentication.sessions._held.clear()
        text = await page.shows("SIGNED OUT", "this console is not monitored")
        assert "PERSON" not in text
        await page.becomes(f"{CALLS} > {before}")
        assert await page.ask(CONTRAST.replace("seen < 15", "seen < 5")) == []
        await page.press("a", "m")  # no act, no dialog
        assert await page.ask("document.querySelector('dialog').open") is False
        await page.press("Enter")
        await sign_in_page(page)
        await page.shows("PERSON", "acknowledged by eva")


async def test_page_open_over_a_restart_of_the_gateway_shows_it_and_finds_its_alarm_again(
    tmp_path: Path,
) -> None:
    enrol(tmp_path)
    path = write_config(tmp_path, "port = 0", free_port())
    async with AsyncExitStack() as running:
        gateway = await running.enter_async_context(Gateway(load_config(path)))
        async with open_page(tmp_path, gateway.console_url) as page:
            await sign_in_page(page)
            await storm(gateway, 1)
            await page.shows("ALARM · TAMPER")
            before = await page.ask(CALLS)
            await running.aclose()
            await page.shows("NO CONNECTION", "data stale since")
            await page.becomes(f"{CALLS} > {before}")  # audible to an operator who looks elsewhere
            await running.enter_async_context(Gateway(load_config(path)))
            await page.shows("SIGNED OUT", "this console is not monitored")
            await page.press("Enter")
            await sign_in_page(page)
            await page.shows("ALARM · TAMPER · west")


async def test_page_on_a_telephone_holds_long_words_and_names_of_all_scripts(
    tmp_path: Path,
) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        now_us = time.time_ns() // 1000
        hour_us = 3600 * 1_000_000
        mask = SetMask(HEBREW, "x" * 200, now_us + hour_us, sectors=("east",))
        patrol = AnnounceWalk(
            HEBREW, f"{HEBREW} 🚶 {'w' * 40}", now_us, now_us + hour_us, ("east",)
        )
        assert (await gateway.service.act(mask)).done
        assert (await gateway.service.act(patrol)).done
        walk(nodes, 1, 2)
        await page.resize(360, 740)
        text = await page.shows("ALARM · PERSON", "x" * 20, "w" * 20)
        # Isolated, or the clock times beside the name would be shuffled.
        assert f"\u2068{HEBREW}\u2069: " in text
        for key in ("s", "n", "o", "c"):
            await page.press(key)
            assert await page.ask(TOO_WIDE) == []
        await page.ask("document.querySelector('.panels').scrollIntoView()")
        await page.becomes("document.getElementById('status').getBoundingClientRect().top === 0")
        for key in ("m", "p", "d", "?"):
            await page.press(key)
            await page.becomes("document.querySelector('dialog').open")
            assert await page.ask(TOO_WIDE) == []
            await page.press("Escape")


async def test_page_under_a_storm_of_alarms_still_takes_keys_and_shows_what_is_left(
    tmp_path: Path,
) -> None:
    async with watch(tmp_path) as (gateway, page, _nodes):
        await page.shows("SECURE")
        await storm(gateway, 220)
        await page.shows("ALARM · TAMPER · west · +219")
        await page.press("j", "j", "a")
        await page.shows("ALARM · TAMPER · west · +218", "acknowledged by eva")
        acked = [
            alarm.id
            for alarm in gateway.service.stages.monitor.state.alarms.open
            if alarm.acknowledged
        ]
        assert acked == [3]


async def test_page_is_worked_without_a_mouse(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        focus = "document.activeElement.textContent"
        for _ in range(20):
            await page.press("Tab")
            if "Acknowledge" in await page.ask(focus):
                break
        outline = await page.ask("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.press("Enter")
        await page.shows("acknowledged by eva")
        await page.press("p")
        assert await page.ask("document.activeElement.name") == "purpose"
        await page.press("Tab")
        await page.type("Ben")
        await page.press("Enter")
        await page.shows("patrol · Ben")
        (announced,) = gateway.service.stages.monitor.state.alarms.walks
        assert (announced.who, announced.sectors) == ("Ben", ("west",))


async def test_page_sends_requests_to_its_gateway_only(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        await page.press("1")
        await page.shows("acknowledged by eva")
        asked = await page.ask("performance.getEntriesByType('resource').map((one) => one.name)")
        assert len(asked) > 10
        assert [url for url in asked if not url.startswith(gateway.console_url)] == []


@pytest.mark.parametrize("width", [360, 1440])
async def test_page_plan_of_many_nodes_covers_no_word_with_another(
    tmp_path: Path, width: int
) -> None:
    enrol(tmp_path)
    path = write_config(tmp_path, "port = 0")
    write_site(tmp_path, nodes=60)
    async with (
        Gateway(load_config(path)) as gateway,
        open_page(tmp_path, gateway.console_url) as page,
    ):
        await sign_in_page(page)
        await page.resize(width, 900)
        await page.becomes(f"document.getElementById('plan').clientWidth < {width}")
        await asyncio.sleep(2.5)  # the next refresh draws it again
        shown, covered = await page.ask(COVERED)
        assert covered == []
        assert shown > 5
        size = "getComputedStyle(document.querySelector('#plan text')).fontSize"
        scale = "document.getElementById('plan').getScreenCTM().a"
        assert await page.ask(size) == "12px"
        assert await page.ask(scale) == pytest.approx(1, abs=0.02)
