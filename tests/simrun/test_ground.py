# SPDX-License-Identifier: MIT
"""Walkers on a user's site: by default across its line, or those of a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.model.place.site import Node, Sector, Site
from tools.errors import UserError
from tools.simrun.ground import world_of

HERE_M = 4000.0  # the site is far from the places of any scenario


def site_of(*places: tuple[float, float]) -> Site:
    nodes = {
        f"n{number:02}": Node(f"n{number:02}", HERE_M + x_m, HERE_M + y_m, "gate")
        for number, (x_m, y_m) in enumerate(places, 1)
    }
    return Site("yard", nodes, {"gate": Sector("gate")})


@pytest.mark.parametrize(
    "places", [((0, 0), (25, 0)), ((0, 0), (0, 400)), ((0, 0), (30, 30), (60, 0))]
)
def test_walkers_without_a_scenario_cross_each_stretch_once_a_minute(places) -> None:
    site = site_of(*places)
    world = world_of(site, site.nodes.values(), None, 1)
    stretches = len(places) - 1
    crossings = world.truth(60.0 * stretches + 50)["crossings"]
    assert [one["actor"].split("-")[0] for one in crossings][:stretches] == [
        f"walker{number + 1}" for number in range(stretches)
    ]
    assert 20 < crossings[0]["t_s"] < 35
    assert world.nodes[0].pir_range_m == 12


def test_walker_at_a_single_node_passes_within_its_reach() -> None:
    site = site_of((0, 0))
    world = world_of(site, site.nodes.values(), None, 1)
    path = world.truth(50)["actors"][0]["path"]
    (_, x0_m, y0_m), (_, x1_m, y1_m) = path[0], path[-1]
    assert max(abs(x0_m - HERE_M), abs(x1_m - HERE_M)) < 12
    assert (y0_m - HERE_M) * (y1_m - HERE_M) < 0


def test_scenario_is_moved_to_the_middle_of_the_site() -> None:
    site = site_of((0, 0), (30, 0))
    world = world_of(site, site.nodes.values(), Path("night_walker_two_nodes"), 1)
    crossing = world.truth(110)["crossings"][0]
    assert abs(crossing["x_m"] - HERE_M - 15) < 3
    assert world.scenario.name == "yard"


def test_scenario_without_a_path_near_a_node_is_refused_with_the_remedy() -> None:
    site = site_of((0, 0), (3000, 0))
    with pytest.raises(UserError, match="no path in night_walker_two_nodes .* --scenario"):
        world_of(site, site.nodes.values(), Path("night_walker_two_nodes"), 1)
