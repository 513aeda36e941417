# SPDX-License-Identifier: MIT
"""The operator's page in a real browser: keys, dialogs, sound, and whether it can be read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.wire.messages import TargetClass
from tests.gateway.chromium import Page, open_page
from tests.gateway.played_node import MqttNode, until, write_config
from tests.gateway.sign_in import enrol, sign_in_page

ESCALATION = '[[escalation]]\nafter_s = 25\nto = "shift leader"\n'

# Of every element with text of its own: the least contrast to what is painted behind it (WCAG 2.2).
CONTRAST = """(() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  let seen = 0;
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest("svg")) continue;
    seen += 1;
    const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${e.textContent}`);
  }
  return seen < 15 ? [`only ${seen} texts`] : poor;
})()"""


@asynccontextmanager
async def watch(
    folder: Path, more: str = ""
) -> AsyncIterator[tuple[Gateway, Page, list[MqttNode]]]:
    """A gateway, an operator's page signed in, and four nodes that reported."""
    enrol(folder)
    config = write_config(folder, "port = 0", serial=more)
    async with Gateway(load_config(config)) as gateway:
        nodes = [MqttNode(f"n0{number}") for number in range(1, 5)]
        for node in nodes:
            node.connect(gateway.address[1])
        await until(lambda: all(node.subscribed for node in nodes))
        for node in nodes:
            node.publish(node.hello(0))
        async with open_page(folder, gateway.console_url) as page:
            await sign_in_page(page)
            yield gateway, page, nodes
        for node in nodes:
            node.disconnect()


def walk(nodes: list[MqttNode], *numbers: int, t_ms: int = 100,
         target: TargetClass = TargetClass.PERSON, confidence_pct: int = 95) -> None:  # fmt: skip
    for number in numbers:
        node = nodes[number - 1]
        node.publish(node.detection(t_ms, target=target, confidence_pct=confidence_pct))


async def test_page_operator_assesses_an_alarm_with_one_key(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM", "PERSON", "detected it", "Acknowledge")
        await page.press("2")
        await page.shows("acknowledged by eva", ": vehicle", "1 acknowledged, still active")
        (alarm,) = gateway.service.stages.monitor.state.alarms.open
        assert (alarm.state, alarm.acknowledged_by) == ("active_acked", "eva")


async def test_page_acknowledging_one_leaves_the_other_and_keys_choose(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON · west")
        # a minute later: what starts at all nodes within a second is one shock
        walk(nodes, 3, 4, t_ms=60_000, target=TargetClass.VEHICLE)
        await page.shows("VEHICLE", "+1")
        await page.press("j", "a")
        await page.shows("acknowledged by eva", "ALARM · PERSON · west")
        assert [
            alarm.acknowledged for alarm in gateway.service.stages.monitor.state.alarms.open
        ] == [False, True]


async def test_page_mask_by_keyboard_needs_a_reason_and_quiets_the_next_alarm(
    tmp_path: Path,
) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        await page.shows("SECURE")
        await page.press("m")
        await page.shows("Tamper and offline alarms still sound")
        await page.click("input[value=west]")
        await page.click("dialog button.primary")
        await asyncio.sleep(0.3)
        assert gateway.service.stages.monitor.state.alarms.masks == ()
        await page.click("input[name=reason]")
        await page.type("mowing")
        await page.press("Enter")
        await page.shows("1 masked · otherwise secure", "eva: mowing")
        walk(nodes, 1, 2)
        text = await page.shows("MASKED · mask 1 by eva: mowing", "PERSON")
        assert "ALARM ·" not in text
        await page.click("#masks button")
        await page.click("input[name=reason]")
        await page.type("mower is gone")
        await page.press("Enter")
        await page.shows("ALARM · PERSON · west")


async def test_page_scheduled_patrol_marks_its_alarm(tmp_path: Path) -> None:
    async with watch(tmp_path) as (_gateway, page, nodes):
        await page.shows("SECURE")
        await page.press("p")
        await page.shows("Alarms in these sectors are marked as authorised")
        await page.click("input[name=who]")
        await page.type("Ben and Mia")
        await page.click("input[value=east]")
        await page.press("Enter")
        await page.shows("patrol · Ben and Mia")
        walk(nodes, 3, 4, t_ms=60_000)  # after the announcement, not before
        await page.shows(
            "AUTHORISED ACTIVITY · patrol 1: Ben and Mia", "AUTHORISED ACTIVITY · PERSON"
        )
        await page.press("5")
        await page.shows("own patrol")


async def test_page_sector_is_disarmed_and_given_back_to_its_schedule(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        await page.shows("armed · always")
        await page.click("#sectors li:last-child button:nth-of-type(2)")
        await page.shows("Disarm east")
        await page.click("input[name=reason]")
        await page.type("school class")
        await page.press("Enter")
        await page.shows("disarmed until", "1 disarmed · otherwise secure")
        walk(nodes, 3, 4)
        await page.shows("SUPPRESSED · disarmed: east")
        assert not gateway.service.stages.monitor.state.alarms.open[0].unacknowledged


async def test_page_shows_to_which_step_an_alarm_escalates(tmp_path: Path) -> None:
    async with watch(tmp_path, ESCALATION) as (_gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("escalates to shift leader in")
        await page.shows("escalated to shift leader")


async def test_page_sounds_for_a_new_alarm_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with watch(tmp_path) as (_gateway, page, nodes):
        await page.shows("Sound on")
        calls = "Number(document.getElementById('sound').dataset.played)"
        assert await page.ask(calls) == 0
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        await page.becomes(f"{calls} > 1")
        await page.press("a")
        await page.shows("acknowledged by eva")
        before = await page.ask(calls)
        await asyncio.sleep(6)
        assert await page.ask(calls) == before
        await page.press("u")
        await page.shows("Sound OFF")


@pytest.mark.parametrize("key", ["", "n", "c", "m", "p", "?"])
async def test_page_text_can_be_read_at_night(tmp_path: Path, key: str) -> None:
    async with watch(tmp_path) as (_gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        walk(nodes, 3, 4, t_ms=60_000, target=TargetClass.VEHICLE)
        await page.shows("ALARM ·", "PERSON", "VEHICLE")
        if key:
            await page.press(key)
        assert await page.ask(CONTRAST) == []


async def test_page_closed_alarm_can_still_be_assessed(tmp_path: Path) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        walk(nodes, 1, 2)
        await page.shows("ALARM · PERSON")
        await page.press("a")
        await page.shows("acknowledged by eva")
        gateway.service.monitor_stage._clock_us = lambda: gateway.facade.clock_us() + 60_000_000
        await page.shows("not assessed")
        await page.click("#past button")
        await page.shows("Assess alarm 1")
        await page.ask("document.querySelector('select[name=disposition]').value = 'animal'")
        await page.click("input[name=note]")
        await page.type("two deer")
        await page.press("Enter")
        await page.shows("animal · eva")
        (alarm,) = gateway.service.stages.monitor.state.alarms.closed
        assert (alarm.note, alarm.assessed_by) == ("two deer", "eva")


async def test_page_alarm_of_low_confidence_is_shown_as_such_and_not_as_a_fault(
    tmp_path: Path,
) -> None:
    async with watch(tmp_path) as (gateway, page, nodes):
        await page.shows("SECURE")
        walk(nodes, 1, 2, confidence_pct=40)
        text = await page.shows("LOW CONFIDENCE · PERSON · west", "re-alarms if confirmed")
        assert gateway.service.stages.monitor.state.alarms.open[0].unsure
        assert "FAULT" not in text
