# SPDX-License-Identifier: MIT
"""The position of a new node on the command line: by metres, or by a receiver's degrees."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from pyproj import Geod

from gateway.config.site import load_site
from gateway.model.place.geodesy import Origin
from tests.usb.boards import until, write_site
from tools import cli
from tools.errors import UserError
from tools.flash.positions import of_degrees, position_of

ORIGIN = Origin(48.1374, 11.5755)
BLOCKS = 32


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def with_origin(site: Path) -> Path:
    path = site.parent / "site.toml"
    text = path.read_text().replace(
        'name = "north"\n', 'name = "north"\nlatitude = 48.1374\nlongitude = 11.5755\n'
    )
    path.write_text(text)
    return path


def test_position_by_degrees_has_the_distance_and_bearing_of_the_geodesic() -> None:
    azimuth, _back, distance = Geod(ellps="WGS84").inv(11.5755, 48.1374, 11.5771, 48.1369)
    found = of_degrees("48.1369,11.5771", ORIGIN)
    assert math.hypot(found.x_m, found.y_m) == pytest.approx(distance, abs=0.001)
    assert math.degrees(math.atan2(found.x_m, found.y_m)) == pytest.approx(azimuth, abs=0.001)
    assert found.error_m == 5.0


def test_position_by_degrees_keeps_the_error_that_is_given() -> None:
    assert of_degrees("48.1369, 11.5771, 2.5", ORIGIN).error_m == 2.5


@pytest.mark.parametrize(
    "text",
    ["", "48.1", "48.1,11.5,3,4", "91,11.5", "48.1,181", "11.5755,48.1374", "48.1374,11.5755,0",
     "48.1374,11.5755,-3", "48.1374,11.5755,1e9", "nan,11.5", "48.1374,inf", "48.1374,11.5755,nan",
     "north,east", "-33.9,18.4"],
)  # fmt: skip
def test_position_by_degrees_that_is_invalid_or_far_away_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--at-gps"):
        of_degrees(text, ORIGIN)


def test_position_given_twice_is_refused() -> None:
    with pytest.raises(UserError, match="give one of them"):
        position_of("1,2", "48.1374,11.5755", ORIGIN)


def test_position_by_degrees_of_a_site_without_origin_names_what_to_do(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["n02", "--at-gps", "48.1369,11.5771", "--port", "/dev/none"]
    assert cli.main(["node", "flash", *words, "--config", str(site)]) == 2
    assert "groundwatch init --place" in capsys.readouterr().err


def test_provision_by_degrees_stores_degrees_and_error_and_is_repeated_alike(
    site: Path, plug, capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_origin(site)
    board = plug(flash_blocks=BLOCKS)
    for is_new in (True, False):
        until(board.port.exists)
        words = ["n02", "--at-gps", "48.1369,11.5771,2.5", "--sector", "gate", "--json"]
        words += ["--config", str(site), "--port", str(board.port)]
        assert cli.main(["node", "provision", *words]) == 0
        assert json.loads(capsys.readouterr().out)["new_key"] is is_new
    assert "latitude = 48.1369\nlongitude = 11.5771\nerror_m = 2.5\n" in path.read_text()
    node = load_site(path).nodes["n02"]
    expected = of_degrees("48.1369,11.5771", ORIGIN)
    assert (node.x_m, node.y_m, node.error_m) == (expected.x_m, expected.y_m, 2.5)
    words = ["n02", "--at-gps", "48.1370,11.5771", "--config", str(site), "--port", "/dev/none"]
    assert cli.main(["node", "provision", *words]) == 2
    assert "has x_m" in capsys.readouterr().err or "has y_m" in capsys.readouterr().err
