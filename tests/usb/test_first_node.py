# SPDX-License-Identifier: MIT
"""The first node of an empty site: placed, its blank board recognised, its Wi-Fi repaired."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT, EnrolmentLog
from gateway.keys import load_fleet_root
from sim_hardware.usb.board import UsbBoard
from sim_hardware.usb.bootsel import Bootsel
from tests.ports import free_port
from tests.terminal import Terminal
from tests.usb.boards import uf2_image, until
from tests.usb.test_flash import back, groundwatch
from tests.usb.test_flash_espressif import blank_esp32
from tools import cli

INIT = ("--yes", "--address", "192.168.4.1", "--site", "north", "--wifi", "field")


@pytest.fixture
def site(tmp_path, capsys):
    """The folder that `groundwatch init` makes."""
    folder = tmp_path / "north"
    ports = ("--broker-port", str(free_port()), "--console-port", str(free_port()))
    groundwatch(capsys, "init", str(folder), *INIT, *ports)
    return folder


def flash(site, board, *more: str) -> list[str]:
    until(lambda: board.port.exists() or not board.plugged)
    words = ("node", "flash", "n07", "--config", str(site / "gateway.toml"))
    return [*words, "--port", str(board.port), *more]


def config_on(board: UsbBoard) -> dict:
    held = back(board)
    held.hold()
    config = json.loads(held._repl.run("print(open('node.json').read())"))
    held.release()
    held.close()
    return dict(config)


def plugged_in_again(capsys, site, board: UsbBoard) -> dict:
    """The same command until it is done, as its own error line asks: on a busy machine a board may
    restart while the command opens its port."""
    for _ in range(5):
        board.unplug()
        board.plug()
        if cli.main([*flash(site, board), "--json"]) == 0:
            return dict(json.loads(capsys.readouterr().out))
        capsys.readouterr()
    pytest.fail("five times in a row")


def test_first_node_of_an_empty_site_is_at_its_origin(site, plug, capsys) -> None:
    before = (site / "site.toml").read_text()
    done = groundwatch(capsys, *flash(site, plug()))
    assert (done["new_node"], done["heartbeat"]) == (True, None)
    assert "no gateway answers" in done["note"]
    assert (site / "site.toml").read_text().startswith(before)
    node = load_site(site / "site.toml").nodes["n07"]
    assert (node.x_m, node.y_m, node.sector, node.board) == (0, 0, "site", "pico_w")


def test_first_node_makes_the_sector_that_is_named(site, plug, capsys) -> None:
    groundwatch(capsys, *flash(site, plug(), "--at", "75,12.5", "--sector", "gate"))
    text = (site / "site.toml").read_text()
    assert text.count("[[sector]]") == 1
    assert load_site(site / "site.toml").nodes["n07"].sector == "gate"


def test_second_node_asks_for_its_place_or_is_refused(site, plug, capsys) -> None:
    board = plug()
    groundwatch(capsys, *flash(site, board, "--sector", "gate"))
    words = [word.replace("n07", "n08") for word in flash(site, board)]
    assert cli.main(words) == 2
    assert "--at 75,12.5" in capsys.readouterr().err
    before = (site / "site.toml").read_text()
    with Terminal(site, *words) as terminal:
        terminal.answer("where n08 is", "east")
        terminal.answer("where n08 is", "25,0")
        terminal.answer("sector [gate]", "")
        assert terminal.end() == 2  # the board is n07
        assert "revoke n07 first" in " ".join(terminal.shown.split())
    assert (site / "site.toml").read_text() == before


def test_blank_pico_in_bootsel_is_recognised_by_its_drive(
    site, micropython, tmp_path, capsys
) -> None:
    folder = tmp_path / "pico"
    folder.mkdir()
    board = UsbBoard(folder, micropython)
    image = tmp_path / "some.uf2"
    image.write_bytes(uf2_image(random.Random(1).randbytes(20_000)))
    with Bootsel(folder, lambda _program: board.plug()) as rom:
        words = flash(site, board, "--drive", str(rom.path), "--image", str(image))
        done = groundwatch(capsys, *words)
    board.unplug()
    assert (done["board"], done["generation"]) == ("pico_w", 1)


def test_blank_esp32_is_recognised_by_its_boot_loader(
    site, micropython, tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("tools.flash.repl._TRIES", 1)  # its silence is not waited for three times
    with blank_esp32(tmp_path, micropython) as (board, _chip, image):
        done = groundwatch(capsys, *flash(site, board, "--image", str(image)))
    assert (done["board"], done["generation"]) == ("esp32", 1)


def test_blank_board_of_another_chip_than_the_named_one_is_refused(site, tmp_path, capsys) -> None:
    drive = tmp_path / "RPI-RP2"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\r\nModel: RP2350\r\nBoard-ID: RP2350")
    words = ("node", "flash", "n07", "--config", str(site / "gateway.toml"), "--drive", str(drive))
    assert cli.main([*words, "--board", "pico_w"]) == 2
    assert "this board is an RP2350" in capsys.readouterr().err
    (drive / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\r\n")
    assert cli.main([*words]) == 2
    err = capsys.readouterr().err
    assert "--board pico_w" in err and err.count("\n") == 1


def test_node_in_a_wrong_wifi_is_repaired_by_the_same_command(site, plug, capsys) -> None:
    board = plug()
    groundwatch(capsys, *flash(site, board))
    first = config_on(board)
    assert first["wifi"]["ssid"] == "field"
    groundwatch(capsys, "init", str(site), "--yes", "--wifi", "field-2", "--address", "10.1.1.1")
    again = plugged_in_again(capsys, site, board)
    second = config_on(board)
    assert (second["wifi"]["ssid"], second["broker"]["host"]) == ("field-2", "10.1.1.1")
    assert second["wifi"]["passphrase"] == load_config(site / "gateway.toml").nodes.passphrase
    assert (again["new_key"], second["key"]) == (False, first["key"])
    root = load_fleet_root(site / "keys" / "fleet.key")
    assert len(EnrolmentLog(site / "data" / ENROLMENT, root).history()) == 2


async def test_node_that_does_not_report_to_a_running_gateway_is_exit_1(site, plug, capsys) -> None:
    async with Gateway(load_config(site / "gateway.toml")):
        words = flash(site, plug(), "--heartbeat-s", "2", "--json")
        assert await asyncio.to_thread(cli.main, words) == 1
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert done["generation"] == 1
    assert "no heartbeat of n07 within 2 s" in done["note"]
    assert "groundwatch init --wifi" in done["note"]
