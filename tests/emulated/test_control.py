# SPDX-License-Identifier: MIT
"""The control channel of a board that is not powered: answers, errors, bounds."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from sim_hardware import take
from sim_hardware.emulated.board import Board
from sim_hardware.emulated.cable import Cable
from sim_hardware.emulated.client import Client
from sim_hardware.emulated.control import CONNECTIONS_MAX, Control
from sim_hardware.emulated.image import FLASH_BYTES
from sim_hardware.emulated.inputs import REST_CODE
from sim_hardware.emulated.names import Answer, NameServer
from sim_hardware.emulated.network import Air, Traffic, Wifi
from sim_hardware.emulated.requests import REQUEST_BYTES_MAX
from sim_hardware.errors import SimError
from sim_hardware.world import World, load


@pytest.fixture
def board() -> Board:
    air = Air({}, NameServer(), Wifi.ON, Traffic())
    return Board(Path("no image"), bytes(FLASH_BYTES), air)


@pytest.fixture
async def path(board: Board, tmp_path: Path):
    async def power(_is_on: bool) -> None:
        raise AssertionError

    control = Control(board, Cable(board, tmp_path / "port"), power, time.monotonic())
    server = await control.listen(tmp_path / "control")
    yield tmp_path / "control"
    server.close()


async def ask(path: Path, *lines: str) -> list[dict]:
    """The answers to some lines on one connection, until it is closed."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.writelines(line.encode() + b"\n" for line in lines)
    writer.write_eof()
    answers = [json.loads(line) for line in (await reader.read()).splitlines()]
    writer.close()
    return answers


async def test_control_answers_each_line_and_goes_on_after_an_error(path: Path):
    first, second, third = await ask(path, '{"do":"time"}', "nonsense", '{"do":"counters"}')
    assert (first["ok"], first["emulated_us"], first["powered"]) == (True, 0, False)
    assert "invalid request" in second["error"]
    assert (third["requests"], third["request_errors"]) == (3, 1)


@pytest.mark.parametrize(
    "request_",
    [
        '{"do":"reset"}',
        '{"do":"wait","until_us":1}',
        '{"do":"line","has":"x"}',
    ],
)
async def test_control_of_a_board_without_power_reports_an_error(path: Path, request_: str):
    assert "no power" in (await ask(path, request_))[0]["error"]


async def test_control_refuses_the_power_that_is_there_already(path: Path):
    assert (await ask(path, '{"do":"power","on":false}'))[0]["error"] == "the power is off already"


class Powered(Board):
    """A board with power that the test sets."""

    has_power = True

    @property
    def is_powered(self) -> bool:
        return self.has_power


async def test_power_that_flickers_is_off_for_so_long_of_the_boards_time(tmp_path: Path):
    board = Powered(Path("no image"), bytes(FLASH_BYTES), Air({}, NameServer(), Wifi.ON, Traffic()))
    done = []

    async def power(is_on: bool) -> None:
        board.has_power = is_on
        done.append((is_on, board.emulated_us))

    control = Control(board, Cable(board, tmp_path / "port"), power, time.monotonic())
    server = await control.listen(tmp_path / "control")
    flicker = '{"do":"power","on":false,"for_ms":30}'
    assert [one["ok"] for one in await ask(tmp_path / "control", flicker, flicker)] == [True, True]
    assert done == [(False, 0), (True, 30_000), (False, 30_000), (True, 60_000)]
    server.close()


async def test_power_for_a_time_is_a_cut(path: Path):
    (answer,) = await ask(path, '{"do":"power","on":true,"for_ms":30}')
    assert answer["error"] == "for_ms is for a cut"


async def test_wifi_that_is_off_for_a_time_is_on_after_it(path: Path, board: Board):
    assert (await ask(path, '{"do":"wifi","state":"off","for_ms":1000}'))[0]["ok"]
    board.agenda.run(999_999)
    assert board.air.wifi is Wifi.OFF
    board.agenda.run(1_000_000)
    assert board.air.wifi is Wifi.ON


async def test_wifi_that_was_changed_meanwhile_stays_as_it_is(path: Path, board: Board):
    await ask(path, '{"do":"wifi","state":"off","for_ms":1000}', '{"do":"wifi","state":"silent"}')
    board.agenda.run(2_000_000)
    assert board.air.wifi is Wifi.SILENT


async def test_control_changes_the_name_server_while_it_runs(path: Path, board: Board):
    assert (await ask(path, '{"do":"dns","answer":"refuse","delay_ms":5}'))[0]["ok"]
    assert board.air.names == NameServer(Answer.REFUSE, 5)


async def test_control_ends_on_a_line_that_is_too_long(path: Path):
    answers = await ask(path, " " * (2 * REQUEST_BYTES_MAX), '{"do":"time"}')
    assert answers == [{"error": "the request is too long"}]


async def test_control_refuses_one_program_too_many_and_keeps_the_others(path: Path):
    held = [await asyncio.open_unix_connection(path) for _ in range(CONNECTIONS_MAX)]
    for reader, writer in held:
        writer.write(b'{"do":"time"}\n')
        assert json.loads(await reader.readline())["ok"]
    assert (await ask(path))[0]["error"] == "too many programs are connected"
    for reader, writer in held:
        writer.write(b'{"do":"time"}\n')
        assert json.loads(await reader.readline())["ok"]
        writer.close()


async def test_control_plays_a_take(path: Path, board: Board, tmp_path: Path):
    take.save(World(load(Path("bench_walker")), 7).take(30.0), tmp_path / "walk")
    request = {"do": "take", "folder": str(tmp_path / "walk"), "node": "n01"}
    (answer,) = await ask(path, json.dumps(request))
    assert (answer["start_us"], answer["duration_us"]) == (0, 30_000_000)
    quiet = [abs(board.ground.code(1000 * at) - REST_CODE) for at in range(2000)]
    near = [abs(board.ground.code(23_000_000 + 1000 * at) - REST_CODE) for at in range(2000)]
    assert max(quiet) < 10 < max(near)
    assert board.agenda.next_us is not None  # its PIR edges
    (answer,) = await ask(path, json.dumps({**request, "node": "n09"}))
    assert "no node n09" in answer["error"]
    (answer,) = await ask(path, json.dumps({**request, "folder": "absent"}))
    assert "no such take" in answer["error"]


async def test_control_writes_all_of_the_flash(path: Path, tmp_path: Path):
    dump = tmp_path / "dump.bin"
    assert (await ask(path, json.dumps({"do": "flash", "file": str(dump)})))[0]["ok"]
    assert dump.read_bytes() == bytes(FLASH_BYTES)


async def test_control_of_another_board_is_not_taken_over(path: Path, board: Board):
    async def power(_is_on: bool) -> None:
        raise AssertionError

    second = Control(board, Cable(board, path.with_name("port2")), power, 0.0)
    with pytest.raises(SimError, match="a board that runs"):
        await second.listen(path)


async def test_client_gets_answers_and_reasons(path: Path):
    def talk() -> None:
        with Client(path, 10.0) as board:
            assert board.ask("time")["powered"] is False
            with pytest.raises(SimError, match="no power"):
                board.ask("reset")

    await asyncio.to_thread(talk)


def test_cable_does_not_replace_a_file(board: Board, tmp_path: Path):
    (tmp_path / "port").write_text("mine")
    with pytest.raises(SimError, match="exists already"):
        Cable(board, tmp_path / "port")
