# SPDX-License-Identifier: MIT
"""`groundwatch sim board` and `sim control`: user errors are one line and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.usb.boards import uf2_image
from tools.cli import main
from tools.sim_board import _route


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["sim", *words]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and line.startswith("groundwatch: ")
    return line


@pytest.mark.parametrize(
    "place", ["8.8.8.8:1883", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "x=127.0.0.1:1", ""]
)
def test_network_that_is_no_loopback_port_is_refused(place: str, capsys):
    assert "loopback" in refused(capsys, "board", "pico_w", "--network", place)


def test_network_names_the_port_that_the_board_uses():
    assert _route("127.0.0.1:1883") == (1883, ("127.0.0.1", 1883))
    assert _route("1883=127.0.0.2:40000") == (1883, ("127.0.0.2", 40_000))


@pytest.mark.parametrize("answer", ["maybe", "gateway:late", "gateway:-1", "refuse:600001"])
def test_dns_that_is_unknown_is_refused(answer: str, capsys):
    assert "--dns" in refused(capsys, "board", "pico_w", "--dns", answer)


def test_folder_that_is_none_is_refused(tmp_path: Path, capsys):
    absent = str(tmp_path / "absent")
    assert "is no folder" in refused(capsys, "board", "pico_w", "--files", absent)
    assert "is no folder" in refused(capsys, "board", "pico_w", "--bootsel", absent)


def test_image_that_is_missing_is_one_line_with_where_to_get_it(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PICO_W_UF2", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    line = refused(capsys, "board", "pico_w")
    assert "https://micropython.org/download/RPI_PICO_W/" in line
    assert str(tmp_path / "groundwatch") in line


def test_image_of_another_chip_is_refused(tmp_path: Path, capsys):
    image = tmp_path / "pico2.uf2"
    image.write_bytes(uf2_image(b"x", family=0xE48BFF59))
    assert "RP2040" in refused(capsys, "board", "pico_w", "--image", str(image))


def test_board_that_is_unknown_is_refused(capsys):
    assert "pico_w" in refused(capsys, "board", "esp32")


def test_control_without_a_board_is_refused(tmp_path: Path, capsys):
    path = str(tmp_path / "control")
    assert "no emulated board" in refused(capsys, "control", path, '{"do": "time"}')
    assert "no JSON" in refused(capsys, "control", path, "time")


def test_a_take_is_still_made_by_sim_alone(tmp_path: Path):
    out = tmp_path / "take"
    assert main(["sim", "night_walker_two_nodes", "--seconds", "2", "--out", str(out)]) == 0
    assert (out / "site.toml").is_file()
