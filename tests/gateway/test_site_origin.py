# SPDX-License-Identifier: MIT
"""A site with an origin: read from site.toml, and local metres beside latitude and longitude."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.errors import ConfigError
from gateway.model.place.geodesy import Origin
from gateway.model.place.site import Site
from gateway.model.text import format_json, parse_json

ORIGIN = "latitude = 48.2\nlongitude = 11.6\n"
HEAD = '[site]\nname = "yard"\n'
NODE = '[[node]]\nid = "n01"\nx_m = 100\ny_m = 50\n'
BY_LATLON = '[[node]]\nid = "n01"\nlatitude = 48.2004497\nlongitude = 11.6013452\n'


def read(folder: Path, text: str) -> Site:
    path = folder / "site.toml"
    path.write_text(text)
    return load_site(path)


def test_site_without_an_origin_has_no_latitude(tmp_path: Path) -> None:
    site = read(tmp_path, HEAD + NODE)
    assert site.origin is None
    assert site.latlon(0.0, 0.0) is None


def test_site_with_an_origin_knows_its_latitude_and_error(tmp_path: Path) -> None:
    site = read(tmp_path, HEAD + ORIGIN + "height_m = 520\nerror_m = 2.5\n" + NODE)
    assert site.origin == Origin(48.2, 11.6, 520.0, 2.5)
    assert site.latlon(0.0, 0.0) == pytest.approx((48.2, 11.6), abs=1e-12)


def test_site_with_an_origin_and_no_more_has_an_error_of_five_metres(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD + ORIGIN + NODE).origin == Origin(48.2, 11.6, 0.0, 5.0)


def test_node_placed_by_latitude_stands_at_its_local_metres(tmp_path: Path) -> None:
    node = read(tmp_path, HEAD + ORIGIN + BY_LATLON).nodes["n01"]
    assert (node.x_m, node.y_m) == pytest.approx((100.0, 50.0), abs=0.01)


def test_node_with_a_height_keeps_it(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD + NODE + "height_m = 512.5\n").nodes["n01"].height_m == 512.5
    assert read(tmp_path, HEAD + NODE).nodes["n01"].height_m is None


def test_latlon_of_an_absurd_track_is_none(tmp_path: Path) -> None:
    site = read(tmp_path, HEAD + ORIGIN + NODE)
    assert site.latlon(float("nan"), 0.0) is None
    assert site.latlon(1e9, 0.0) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (HEAD + "latitude = 48.2\n" + NODE, "site.longitude"),
        (HEAD + "error_m = 3\n" + NODE, "site.latitude"),
        (HEAD + ORIGIN.replace("48.2", "98.2") + NODE, "site.latitude"),
        (HEAD + ORIGIN.replace("11.6", "nan") + NODE, "site.longitude"),
        (HEAD + ORIGIN.replace("11.6", "191.6") + NODE, "site.longitude"),
        (HEAD + ORIGIN + "error_m = 0\n" + NODE, "site.error_m"),
        (HEAD + ORIGIN + "height_m = 99999\n" + NODE, "site.height_m"),
        (HEAD + BY_LATLON, "node[0].latitude"),
        (HEAD + ORIGIN + BY_LATLON + "x_m = 3\n", "node[0].latitude"),
        (HEAD + ORIGIN + BY_LATLON.replace("11.6", "41.6"), "node[0].latitude"),
        (HEAD + ORIGIN + BY_LATLON.partition("longitude")[0], "node[0].longitude"),
        (HEAD + NODE + "height_m = 1e6\n", "node[0].height_m"),
        (HEAD + ORIGIN + NODE.replace("100", "200000"), "n01"),
        (HEAD + ORIGIN + NODE + '[[sector]]\nid = "s"\npolygon = [[0, 9e5]]\n', "sector s"),
    ],
)
def test_origin_that_is_invalid_is_one_line_with_the_key(
    tmp_path: Path, text: str, names: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert names in str(error.value)
    assert "\n" not in str(error.value)


def test_origin_as_json_comes_back_and_an_invalid_one_does_not() -> None:
    origin = Origin(48.2, 11.6, 520.0, 2.5)
    assert parse_json(format_json(origin), Origin) == origin
    with pytest.raises(ValueError, match="latitude"):
        parse_json('{"latitude":98.2,"longitude":11.6}', Origin)
