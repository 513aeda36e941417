# SPDX-License-Identifier: MIT
"""A node is placed by a click on the plan of the console, or over the API."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.api.access.tokens import save_tokens
from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.console.operators import Role
from gateway.model.actions.identity import Scope
from gateway.model.place.geodesy import to_local
from tests.api.running import make_token
from tests.gateway.chromium import Page, open_page
from tests.gateway.played_node import write_config
from tests.gateway.sign_in import enrol, sign_in_page
from tests.gateway.test_reload import audited
from tools.cli import main
from tools.errors import UserError
from tools.flash.site_file import Placement, placed, register

ORIGIN = "latitude = 48.1374\nlongitude = 11.5755\n"
OF_NODE = """(name => {
  for (const title of document.querySelectorAll("#plan title")) if (title.textContent === name) {
    const box = title.parentNode.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  }
})"""


@asynccontextmanager
async def console(folder: Path, role: Role) -> AsyncIterator[tuple[Gateway, Page]]:
    enrol(folder, role=role)
    config = load_config(write_config(folder, "port = 0"))
    async with Gateway(config) as gateway, open_page(folder, gateway.console_url) as page:
        await sign_in_page(page)
        await page.press("n")
        yield gateway, page


async def click_between(page: Page, first: str, second: str) -> None:
    """The point midway between two nodes of the plan."""
    ends = [await page.ask(f"{OF_NODE}({name!r})") for name in (first, second)]
    await page.click_at(*((a + b) / 2 for a, b in zip(*ends, strict=True)))


async def fill(page: Page, name: str, text: str) -> None:
    await page.click(f"input[name={name}]")
    await page.ask(f"document.querySelector('input[name={name}]').select()")
    await page.type(text)


async def test_new_node_is_placed_by_a_click_between_two_others(tmp_path: Path) -> None:
    async with console(tmp_path, Role.SUPERVISOR) as (gateway, page):
        await page.click("#place-node")
        await page.shows("Click where the node is")
        await click_between(page, "n02", "n03")
        await page.shows("Place a node")
        await fill(page, "node", "n05")
        await fill(page, "sector", "gate")
        await fill(page, "error_m", "2.5")
        await page.press("Enter")
        await page.becomes("document.querySelector('#dialog').open === false")
        await page.becomes("document.querySelectorAll('#plan circle.error').length === 1")
        await page.shows("n05")
        made = gateway.site.nodes["n05"]
    assert (made.x_m, made.y_m) == pytest.approx((37.5, 0.0), abs=0.5)
    assert (made.sector, made.error_m) == ("gate", 2.5)
    assert load_site(tmp_path / "site.toml").nodes["n05"] == made
    # What `node flash n05` finds: it asks for no position.
    assert placed(tmp_path / "site.toml", "n05", Placement())[1:] == (made, False)
    [actor, _action, _subject, detail] = next(
        row for row in audited(tmp_path) if row[2] == "node n05"
    )
    assert (actor, detail["before"]) == ("eva", None)
    assert (detail["after"]["x_m"], detail["after"]["error_m"]) == (made.x_m, 2.5)


async def test_node_is_moved_by_a_click_with_an_error_of_some_pixels(tmp_path: Path) -> None:
    async with console(tmp_path, Role.SUPERVISOR) as (gateway, page):
        await page.click("#place-node")
        await click_between(page, "n01", "n02")
        await fill(page, "node", "n04")
        await page.click("dialog button.primary")
        await page.becomes("document.querySelector('#dialog').open === false")
        made = gateway.site.nodes["n04"]
    assert (made.x_m, made.y_m) == pytest.approx((12.5, 0.0), abs=0.5)
    assert made.error_m is not None
    assert 0.5 <= made.error_m <= 3
    [row] = audited(tmp_path, "orders.change")
    assert (row[0], row[2], row[3]["before"]["x_m"]) == ("eva", "node n04", 75.0)


async def test_node_is_placed_by_typed_metres_in_a_site_without_nodes(tmp_path: Path) -> None:
    enrol(tmp_path, role=Role.SUPERVISOR)
    config = write_config(tmp_path, "port = 0")
    (tmp_path / "site.toml").write_text('[site]\nname = "yard"\n')
    async with Gateway(load_config(config)) as gateway:
        async with open_page(tmp_path, gateway.console_url) as page:
            await sign_in_page(page)
            await page.press("n")
            await page.click("#place-node")
            await page.click("#place-by-numbers")
            for name, text in (("node", "n01"), ("x_m", "-3.5"), ("y_m", "1e9")):
                await fill(page, name, text)
            await page.press("Enter")
            await page.becomes("document.querySelector('input[name=y_m]:invalid') !== null")
            await fill(page, "y_m", "4")
            await page.press("Enter")
            await page.shows("n01", "Not reporting")
        made = gateway.site.nodes["n01"]
    assert (made.x_m, made.y_m, made.sector, made.error_m) == (-3.5, 4.0, "site", 0.5)


async def test_operator_has_no_button_and_escape_ends_placing(tmp_path: Path) -> None:
    async with console(tmp_path, Role.OPERATOR) as (_gateway, page):
        assert await page.ask("document.querySelector('#place-node').checkVisibility()") is False
    (tmp_path / "second").mkdir()
    async with console(tmp_path / "second", Role.SUPERVISOR) as (gateway, page):
        await page.click("#place-node")
        await page.press("Escape")
        await page.becomes("document.querySelector('#placing').hidden")
        await click_between(page, "n01", "n02")
        assert await page.ask("document.querySelector('#dialog').open") is False
        assert gateway.site.nodes["n01"].x_m == 0


class Api:
    """A gateway of four nodes, and requests to it."""

    def __init__(self, folder: Path, gateway: Gateway, http: aiohttp.ClientSession) -> None:
        self.folder, self.gateway, self.http = folder, gateway, http
        self.site = folder / "site.toml"

    async def post(self, node: str, scope: Scope = Scope.ADMIN, **body: Any) -> tuple[int, Any]:
        save_tokens(self.folder / "tokens.toml", {})
        headers = {"Authorization": f"Bearer {make_token(self.folder, 'tester', scope)}"}
        path = f"/api/v1/nodes/{node}/position"
        answer = await self.http.post(path, json=body, headers=headers)
        return answer.status, await answer.json()

    async def refused(self, node: str, **body: Any) -> str:
        """The problem; nothing has changed."""
        before, site = self.site.read_bytes(), self.gateway.site
        status, answer = await self.post(node, **body)
        assert status == 400, answer
        assert (self.site.read_bytes(), self.gateway.site) == (before, site)
        assert "\n" not in answer["problem"]
        return str(answer["problem"])


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    config = write_config(tmp_path, "port = 0")
    text = (tmp_path / "site.toml").read_text().replace('"yard"\n', f'"yard"\n{ORIGIN}')
    text = text.replace("x_m = 25\n", "x_m = 25  # by tape\n") + "\n# behind the pump\n"
    (tmp_path / "site.toml").write_text(text)
    (tmp_path / "site.toml").chmod(0o640)
    async with (
        Gateway(load_config(config)) as gateway,
        aiohttp.ClientSession(gateway.console_url) as http,
    ):
        yield Api(tmp_path, gateway, http)


async def test_move_changes_the_lines_of_the_position_alone(api: Api) -> None:
    before = api.site.read_text()
    assert await api.post("n02", x_m=26, y_m=-1.5, error_m=0.8) == (200, {"changed": ["node n02"]})
    wanted = before.replace(
        "x_m = 25  # by tape\ny_m = 0\n", "x_m = 26.0\ny_m = -1.5\nerror_m = 0.8\n"
    )
    assert api.site.read_text() == wanted
    assert stat.S_IMODE(api.site.stat().st_mode) == 0o640
    assert api.gateway.site.nodes["n02"] == load_site(api.site).nodes["n02"]
    assert api.gateway.site.nodes["n02"].y_m == -1.5


async def test_move_by_degrees_and_back_is_shown_with_its_errors(api: Api) -> None:
    await api.post("n02", latitude=48.1375, longitude=11.5759, error_m=3)
    assert api.gateway.site.origin is not None
    at = to_local(api.gateway.site.origin, 48.1375, 11.5759)
    made = api.gateway.site.nodes["n02"]
    assert (made.x_m, made.y_m, made.error_m) == (*at, 3.0)
    view = api.gateway.picture.get("node", "n02")
    assert view.local_error_m == 3.0
    assert view.error_m == pytest.approx((3.0**2 + 5.0**2) ** 0.5)
    await api.post("n02", x_m=25, y_m=0, error_m=0.5)
    table = tomllib.loads(api.site.read_text())["node"][1]
    assert table == {"id": "n02", "x_m": 25.0, "y_m": 0.0, "error_m": 0.5, "sector": "west"}


@pytest.mark.parametrize(
    ("node", "body", "expected"),
    [
        ("N_2", {"x_m": 1, "y_m": 1}, "no node id"),
        ("gateway", {"x_m": 1, "y_m": 1}, "a name the broker needs"),
        ("n02", {"x_m": 1}, "give x_m and y_m, or latitude and longitude"),
        ("n02", {"x_m": 1, "y_m": 1, "latitude": 48.1374, "longitude": 11.5755}, "give x_m and"),
        ("n02", {"x_m": 1, "y_m": 1, "error_m": 0}, "error_m"),
        ("n02", {"x_m": 1, "y_m": 1, "error_m": 1e5}, "error_m"),
        ("n02", {"x_m": 120_000, "y_m": 1}, "within 100 km"),
        ("n02", {"x_m": 1, "y_m": 1, "sector": "a\nb"}, "sector"),
        ("n02", {"x_m": 1, "y_m": 1, "sector": "east"}, "n02 is in sector west"),
        ("n02", {"latitude": -33.9, "longitude": 18.4}, "not within 150 km"),
        ("n02", {"latitude": 48.1374, "longitude": 11.5755, "error_m": None}, "need error_m"),
        ("n02", {"latitude": 91, "longitude": 18.4}, "latitude"),
        ("n02", {"x_m": "far", "y_m": 1}, "x_m"),
    ],
)
async def test_invalid_position_changes_nothing(
    api: Api, node: str, body: dict[str, Any], expected: str
) -> None:
    assert expected in await api.refused(node, **({"error_m": 1} | body))


async def test_reader_and_operator_may_not_place(api: Api) -> None:
    for scope in (Scope.READ, Scope.ACT):
        status, _answer = await api.post("n02", scope, x_m=1, y_m=1, error_m=1)
        assert status == 403
    assert api.gateway.site.nodes["n02"].x_m == 25


async def test_file_that_is_invalid_unusual_or_in_use_is_not_touched(api: Api) -> None:
    good = api.site.read_text()
    api.site.write_text(good + "\n[[node]]\n")
    assert "id is missing" in await api.refused("n02", x_m=1, y_m=1, error_m=1)
    api.site.write_text(good.replace("x_m = 25  # by tape", '"x_m" = 25'))
    assert "by hand" in await api.refused("n02", x_m=1, y_m=1, error_m=1)
    api.site.write_text(good)
    handle = os.open(api.folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert "another program changes it" in await api.refused("n02", x_m=1, y_m=1, error_m=1)
    with pytest.raises(UserError, match="another program changes it"):
        register(api.site, api.gateway.site.nodes["n02"])
    os.close(handle)
    assert (await api.post("n02", x_m=1, y_m=1, error_m=1))[0] == 200


async def test_command_moves_a_node_of_the_running_gateway(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    async def place(*words: str) -> tuple[int, str, str]:
        config = ["--config", str(api.folder / "gateway.toml")]
        code = await asyncio.to_thread(main, ["node", "place", *words, *config])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    assert await place("n02", "--at", "26,-1.5") == (0, "n02 is at 26,-1.5\n", "")
    made = api.gateway.site.nodes["n02"]
    assert (made.x_m, made.y_m, made.error_m) == (26, -1.5, None)
    assert await place("n02", "--at", "26,-1.5") == (0, "n02 was at 26,-1.5 already\n", "")
    code, out, _err = await place(
        "n09", "--at-gps", "48.1375,11.5759,3", "--sector", "west", "--json"
    )
    assert (code, json.loads(out)) == (0, {"changed": ["node n09"]})
    assert api.gateway.site.nodes["n09"].error_m == 3
    [_first, last] = audited(api.folder, "orders.change")
    assert (last[2], last[3]["before"]) == ("node n09", None)
    before = api.site.read_bytes()
    for words, reason in [
        (("n02",), "give the position"),
        (("n02", "--at", "26"), "metres east and north"),
        (("n02", "--at", "1,1", "--at-gps", "48.1375,11.5759"), "two positions"),
        (("n02", "--at", "1,1", "--sector", "east"), "n02 is in sector west"),
        (("n/2", "--at", "1,1"), "no node id"),
    ]:
        code, out, err = await place(*words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert reason in err
    assert api.site.read_bytes() == before
