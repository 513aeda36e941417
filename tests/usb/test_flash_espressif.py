# SPDX-License-Identifier: MIT
"""`groundwatch node flash` on Espressif's boards: by esptool, with an image the node runs on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from gateway.config.site import load_site
from sim_hardware.usb.board import Identity, UsbBoard
from sim_hardware.usb.romloader import RomLoader
from tests.usb.boards import esp32_image, write_site
from tests.usb.test_flash import flash, groundwatch
from tools import cli
from tools.flash.board import Board

ESP32 = Identity("Generic ESP32 module with SPIRAM with ESP32", "esp32", (1, 25, 0), "240ac4123456")


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path)


@contextmanager
def blank_esp32(tmp_path, micropython):
    """A blank chip whose boot loader answers, and an image of MicroPython for it."""
    folder = tmp_path / "esp"
    folder.mkdir()
    image = tmp_path / "some.bin"
    image.write_bytes(esp32_image())
    chip = RomLoader(folder)
    board = UsbBoard(folder, micropython, ESP32, native_usb=False)
    board.port = chip.port
    chip.on_run = board.plug
    with chip:
        yield board, chip, image
    board.unplug()


def test_flash_blank_esp32_takes_micropython_by_esptool(
    site, micropython, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("tools.flash.repl._TRIES", 1)  # its silence is not waited for three times
    with blank_esp32(tmp_path, micropython) as (board, chip, image):
        result = groundwatch(capsys, *flash(site, board, "--image", str(image)), "--board", "esp32")
    size = image.stat().st_size
    assert bytes(chip.flash[0x1000 : 0x1000 + size]) == image.read_bytes()
    assert (result["board"], result["generation"]) == ("esp32", 1)


def test_flash_esp32_s3_with_micropython_becomes_a_node_of_that_board(site, plug, capsys) -> None:
    board = plug(identity=Identity("Generic ESP32S3 module with ESP32S3", "esp32"))
    result = groundwatch(capsys, *flash(site, board), "--board", "esp32_s3")
    assert (result["node"], result["board"], result["generation"]) == ("n07", "esp32_s3", 1)
    assert load_site(site.parent / "site.toml").nodes["n07"].board == "esp32_s3"


def test_flash_esp32_whose_psram_is_missing_makes_no_node_of_it(
    site, plug, capsys, monkeypatch
) -> None:
    board = plug(identity=ESP32)
    asked = Board._facts
    monkeypatch.setattr(Board, "_facts", lambda self: replace(asked(self), heap=134_544))
    assert cli.main([*flash(site, board), "--board", "esp32"]) == 2
    assert "134 KB of memory" in capsys.readouterr().err
    assert not (site.parent / "data").exists()


def test_flash_esp32_with_an_image_that_leaves_psram_alone_asks_for_the_right_one(
    site, plug, capsys
) -> None:
    board = plug(identity=Identity("Generic ESP32 module with ESP32", "esp32"))
    assert cli.main([*flash(site, board), "--board", "esp32"]) == 2
    err = capsys.readouterr().err
    assert "ESP32_GENERIC-SPIRAM-20250415-v1.25.0.bin" in err
    assert "--image" in err
    assert not (site.parent / "data").exists()
