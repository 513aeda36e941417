# SPDX-License-Identifier: MIT
"""The picture as the page makes it, for tests: the same names as in console/static/picture.js."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.app import Gateway
from tests.gateway.sign_in import Browser


def assemble(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """Changes of a whole picture, by kind and id."""
    things: dict[str, dict[str, Any]] = {}
    for change in changes:
        things.setdefault(change["kind"], {})[change["id"]] = change["value"]
    alarms = [*things.get("alarm", {}).values()]
    (site,) = things["site"].values()
    nodes = things.get("node", {})
    places = [{name: nodes[one][name] for name in ("id", "x_m", "y_m", "sector")}
              for one in site["nodes"]]  # fmt: skip
    section = things["section"]
    return {
        "site": {"name": site["name"], "nodes": places, "sectors": things["sector"]},
        "alarms": sorted((a for a in alarms if a["open"]), key=lambda a: a["id"]),
        "past": [a for a in alarms if not a["open"]],
        "orders": {
            "arming": [things["sector"][one] for one in site["sectors"]],
            "masks": [*things.get("mask", {}).values()],
            "walks": [*things.get("walk", {}).values()],
            "escalation": section["escalation"],
        },
        "nodes": nodes,
        "outputs": {
            "channels": [*things.get("connector", {}).values()],
            "deliveries": [*things.get("delivery", {}).values()],
        },
        **section,
    }


async def seen_by(browser: Browser) -> dict[str, Any]:
    """What a page that opens now is sent."""
    answer = await browser.get("api/v1/picture")
    assert answer.status == 200, await answer.text()
    return assemble((await answer.json())["changes"])


def shown(gateway: Gateway) -> dict[str, Any]:
    """What a page shows once everything is published."""
    gateway.facade.refresh()
    gateway.facade._publisher.flush()
    view = gateway.api.stream.view("", "")
    return assemble(msgspec.to_builtins(view)["changes"])
