# SPDX-License-Identifier: MIT
"""`groundwatch site show|map|plan`: where the nodes are, and whether they leave gaps."""

from __future__ import annotations

import asyncio
import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.commands import site_plan
from gateway.config import load_config
from gateway.model.place.site import Ground, Node, Sector, Site
from tests.gateway.played_node import MqttNode, until, write_config
from tools import cli

SITE = """\
[site]
name = "north"
latitude = 48.1374
longitude = 11.5755
[[sector]]
id = "gate"
polygon = [[0, 0], [100, 0], [100, 40], [0, 40]]
[[node]]
id = "n01"
x_m = 10
y_m = 20
sector = "gate"
[[node]]
id = "n02"
x_m = 90
y_m = 20
sector = "gate"
error_m = 3
[[node]]
id = "n03"
x_m = 200
y_m = 20
sector = "fence"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "gateway.toml").write_text("[gateway]\n")
    (tmp_path / "site.toml").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> str:
    assert cli.main(["site", *words]) == status
    return capsys.readouterr().out


def line(*xs: float, **nodes: float) -> Site:
    made = {f"n{at}": Node(f"n{at}", x, 0.0, "west", **nodes) for at, x in enumerate(xs)}
    return Site("north", made, {"west": Sector("west")})


def test_show_has_every_node_with_both_coordinates(folder: Path, capsys) -> None:
    facts = json.loads(shown(capsys, 0, "show", "--json"))
    assert [one["id"] for one in facts["nodes"]] == ["n01", "n02", "n03"]
    assert {one["id"]: one["nodes"] for one in facts["sectors"]} == {
        "gate": ["n01", "n02"],
        "fence": ["n03"],
    }
    assert facts["nodes"][1]["error_m"] == 3
    assert facts["nodes"][0]["latitude"] == pytest.approx(48.1374 + 20 / 111_210, abs=1e-6)
    out = shown(capsys, 0, "show")
    assert "48.1374" in out and "within 3 m" in out and out.count("link wifi") == 3


@pytest.mark.parametrize("floor", [0.02, 0.08, 0.3])
def test_radius_is_where_the_level_of_the_ground_meets_the_threshold(floor: float) -> None:
    ground = Ground(exponent=0.5, absorption_per_m=0.05, walker_db=20.0)
    found = site_plan.radius_m(ground, Node("n", 0, 0, "s", gain_db=3.0), floor)
    level = 10 ** (23 / 20) * found**-0.5 * math.exp(-0.05 * found)
    farther = found + 0.5
    beyond = 10 ** (23 / 20) * farther**-0.5 * math.exp(-0.05 * farther)
    assert beyond < 7 * floor <= level


def test_plan_of_a_line_within_the_radius_has_no_gap() -> None:
    (sector,) = site_plan.plan(line(0, 20, 40, 60), 0.08).sectors
    assert sector.spacing_m == (20, 20, 20)
    assert not sector.gaps and not sector.remarks
    assert {one.detected_pct for one in sector.links} == {95.3}


def test_plan_of_a_line_with_a_node_left_out_names_the_gap() -> None:
    (sector,) = site_plan.plan(line(0, 20, 100, 120), 0.08).sectors
    radius = sector.radius_m[0]
    assert sector.gaps == (f"n1 to n2: 80 m apart, {80 - 2 * radius:.0f} m of it beyond both",)


def test_plan_over_a_higher_floor_has_a_smaller_radius() -> None:
    radii = [site_plan.plan(line(0, 20), floor).sectors[0].radius_m[0] for floor in (0.08, 0.2, 1)]
    assert radii[0] > radii[1] > radii[2]


def test_plan_of_nodes_too_far_apart_to_confirm_each_other_has_a_remark() -> None:
    (sector,) = site_plan.plan(line(0, 90), 0.001).sectors
    assert any("beyond 80 m" in one for one in sector.remarks)


def test_plan_covered_part_of_a_polygon_is_that_of_its_circles(folder: Path, capsys) -> None:
    found = json.loads(shown(capsys, 1, "plan", "--json"))
    gate = found["sectors"][0]
    radius = gate["radius_m"][0]
    # Two segments of circles that do not meet, cut off at x = 0 and at y = 0 and 40.
    steps = 400
    inside = sum(
        min(math.hypot(x - 10, y - 20), math.hypot(x - 90, y - 20)) <= radius
        for x in (100 * (at + 0.5) / steps for at in range(steps))
        for y in (40 * (at + 0.5) / steps for at in range(steps))
    )
    assert gate["covered_pct"] == pytest.approx(100 * inside / steps**2, abs=2)
    assert gate["farthest_m"] == pytest.approx(math.hypot(40, 20), abs=1.5)
    assert found["gap_count"] == len(gate["gaps"]) + len(found["sectors"][1]["gaps"])
    assert found["between"][0]["nodes"] == ["n02", "n03"]


def test_plan_of_a_sector_without_a_node_is_a_gap(folder: Path, capsys) -> None:
    (folder / "site.toml").write_text(SITE + '[[sector]]\nid = "yard"\n')
    assert "GAP  no node" in shown(capsys, 1, "plan")


def test_map_as_svg_has_every_node_where_it_is_north_up(folder: Path, capsys) -> None:
    assert "site.svg" in shown(capsys, 0, "map", "--out", "site.svg", "--radius")
    root = ET.parse(folder / "site.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    at = {
        one.find(f"{name}title").text: (float(one.get("cx")), float(one.get("cy")))
        for one in root.iter(f"{name}circle")
        if one.get("class", "").startswith("node")
    }
    per_m = (at["n02"][0] - at["n01"][0]) / 80
    assert at["n03"][0] - at["n01"][0] == pytest.approx(190 * per_m, abs=0.2)
    assert at["n01"][1] == at["n02"][1]
    corners = [
        tuple(map(float, pair.split(",")))
        for pair in root.find(f"{name}polygon").get("points").split()
    ]
    assert corners[2][1] < corners[1][1]  # y_m = 40 is above y_m = 0
    circles = [one for one in root.iter(f"{name}circle") if one.get("class") == "radius"]
    radius = site_plan.radius_m(Ground(), Node("n", 0, 0, "s"), site_plan.CALM_FLOOR_UM_S)
    assert [float(one.get("r")) for one in circles] == pytest.approx([radius * per_m] * 3, abs=0.1)


def test_map_of_names_with_signs_of_markup_is_well_formed(tmp_path: Path) -> None:
    from gateway.commands.site_map import html, svg

    made = Site("a<b", {"n&1": Node("n&1", 0, 0, "<s>")}, {"<s>": Sector("<s>")})
    assert ET.fromstring(svg(made)).tag.endswith("svg")
    assert "a&lt;b" in html(made, svg(made))


def test_map_as_text_has_the_nodes_in_their_order(folder: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, 0, "map").splitlines()
    (row,) = [one for one in lines if "n01" in one]
    assert row.index("o n01") < row.index("o n02") < row.index("o n03")
    assert lines[-1].endswith("m, north is up")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["map", "--out", "site.png"], ".svg"),
        (["map", "--json"], "--out"),
        (["map", "--out", "site.toml"], ".svg"),
        (["map", "--live"], "no gateway answers"),
        (["map", "--out", "none/site.svg"], "cannot write"),
        (["plan", "--floor", "0"], "--floor"),
        (["plan", "--floor", "nan"], "--floor"),
        (["show", "--config", "none.toml"], "none.toml"),
    ],
)
def test_site_with_a_wrong_option_is_one_line_and_exit_2(
    words: list[str], part: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["site", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and part in err


def test_map_overwrites_only_on_demand(folder: Path, capsys) -> None:
    (folder / "a.svg").write_text("mine")
    assert cli.main(["site", "map", "--out", "a.svg"]) == 2
    assert (folder / "a.svg").read_text() == "mine"
    shown(capsys, 0, "map", "--out", "a.svg", "--replace")
    assert (folder / "a.svg").read_text().startswith("<svg")


async def test_map_of_a_running_gateway_has_its_states_and_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, 'kind = "embedded"\nport = 0')
    async with Gateway(load_config(config)) as gateway:
        nodes = [MqttNode("n01"), MqttNode("n02")]
        for node in nodes:
            node.connect(gateway.address[1])
        await until(lambda: all(node.subscribed for node in nodes))
        for node in nodes:
            node.publish(node.hello(1000))
            node.publish(node.detection(2000))
            await node.until_received()
        words = ["map", "--config", str(config), "--out", str(tmp_path / "a.html"), "--live"]
        await asyncio.to_thread(shown, capsys, 0, *words)
        for node in nodes:
            node.disconnect()
    page = (tmp_path / "a.html").read_text()
    assert page.count('class="node detecting"') == 2
    assert page.count('class="node not_reporting"') == 2
    assert 'class="target"' in page and "person #1" in page
