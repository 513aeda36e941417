# SPDX-License-Identifier: MIT
"""`groundwatch node flash`: a bare board becomes a node; after any cut a rerun repairs it."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from dataclasses import asdict

import pytest

from gateway.config.site import load_site
from gateway.enrolment import ENROLMENT, EnrolmentLog, KeyAct
from gateway.keys import load_fleet_root, node_key
from sim_hardware.usb.board import Identity, UsbBoard
from sim_hardware.usb.bootsel import Bootsel
from tests.usb.boards import uf2_image, until, write_site
from tests.usb.conftest import Quiet
from tools import cli
from tools.bundle import OWNED
from tools.compiled import mpy_for
from tools.flash.board import Board
from tools.flash.enrol import Mode
from tools.flash.install import compare, put_files, put_start
from tools.flash.repl import BoardError, CableError

CUTS = 8
ROTATION_CUTS = 4


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path)


def groundwatch(capsys, *words: str) -> dict:
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def back(board: UsbBoard) -> Board:
    """The board at its prompt, when it is on the bus again."""
    until(board.port.exists)
    return Board(str(board.port))


def flash(site, board, *more: str) -> list[str]:
    until(lambda: board.port.exists() or not board.plugged)
    place = ("--at", "75,12.5", "--sector", "gate")
    return ["flash", "n07", "--config", str(site), *place, "--port", str(board.port), *more]


def test_flash_board_with_micropython_becomes_a_node_of_the_site(site, plug, capsys) -> None:
    board = plug()
    result = groundwatch(capsys, *flash(site, board))
    assert (result["node"], result["board"], result["generation"]) == ("n07", "pico_w", 1)
    placed = load_site(site.parent / "site.toml").nodes["n07"]
    assert (placed.x_m, placed.y_m, placed.sector, placed.board) == (75, 12.5, "gate", "pico_w")
    assert "# Placed in March." in (site.parent / "site.toml").read_text()
    root = load_fleet_root(site.parent / "fleet.key")
    acts = EnrolmentLog(site.parent / "data" / ENROLMENT, root).history()
    assert [entry.act for entry in acts] == [KeyAct.OFFER, KeyAct.PROVE]
    assert acts[1].board == result["id"]

    again = groundwatch(capsys, *flash(site, board))
    assert (again["removed"], again["new_key"]) == (0, False)
    assert again["sent"] <= 2  # the record of starts in its two slots
    assert len(EnrolmentLog(site.parent / "data" / ENROLMENT, root).history()) == 2


def test_flash_whole_image_and_settings_are_on_the_board(site, plug, capsys, laptop) -> None:
    board = plug()
    groundwatch(capsys, *flash(site, board))
    held = back(board)
    held.hold()
    assert [path for path in compare(held, laptop.files).send if "slot" not in path] == []
    result = json.loads(held._repl.run("print(open('node.json').read())"))
    held.close()
    root = load_fleet_root(site.parent / "fleet.key")
    assert result["key"] == node_key(root, "north", "n07", 1).hex()
    assert result["wifi"]["ssid"] == "groundwatch"
    assert (result["broker"]["host"], result["x_m"], result["y_m"]) == ("192.168.4.1", 75, 12.5)


def test_flash_shows_no_key_on_any_screen_or_command_line(site, plug) -> None:
    board = plug()
    words = [sys.executable, "-m", "tools.cli", *flash(site, board)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    root = load_fleet_root(site.parent / "fleet.key")
    for secret in (root, node_key(root, "north", "n07", 1)):
        assert secret.hex() not in done.stdout + done.stderr + " ".join(words)
    assert "correct horse battery" not in done.stdout + done.stderr
    assert "GP26" in done.stdout  # the wiring
    journal = (site.parent / "data" / ENROLMENT).read_text()
    assert node_key(root, "north", "n07", 1).hex() not in journal


def test_flash_dry_run_changes_nothing_anywhere(site, plug, capsys) -> None:
    board = plug()
    back(board).close()  # it has made its file system
    before = (site.parent / "site.toml").read_text(), board.flash.read_bytes()
    result = groundwatch(capsys, *flash(site, board, "--dry-run"))
    assert any("send" in step for step in result["steps"])
    assert ((site.parent / "site.toml").read_text(), board.flash.read_bytes()) == before
    assert not (site.parent / "data").exists()


@pytest.fixture
def small(laptop, monkeypatch):
    """A small image: these tests interrupt the procedure, not the firmware."""
    kept = ("boot.py", "main.py", "slots.mpy", "slot0", "slot1", "guard.mpy", "node.copy")
    files = {path: source for path, source in laptop.files.items() if path in kept}
    assert len(files) == len(kept)
    return files


def make(laptop, board: UsbBoard, files, mode: Mode = Mode.ENROL):
    """What the command does between finding a board and reporting the result."""
    held = back(board)
    held.hold()
    put_files(held, files, Quiet())
    enrolled = laptop.provisioner.enrol(held, laptop.wish(mode=mode))
    put_start(held, files)
    held.start()
    return enrolled


def is_whole(laptop, board: UsbBoard, files) -> bool:
    held = back(board)
    work = compare(held, files)
    answered = laptop.provisioner._held(held, laptop.wish(), laptop.provisioner.standing("n07"))
    held.close()
    # The record of starts changes whenever the board starts.
    send = [path for path in work.send if not path.startswith("slot")]
    return not send and not work.remove and answered is not None


def cut_and_repair(laptop, lost: UsbBoard, files, mode: Mode, at: int) -> None:
    """Pull the cable after so many bytes; plug it in and run the same command again."""
    lost.cut_after = lost.taken + at
    with pytest.raises(CableError):
        make(laptop, lost, files, mode)
    until(lambda: not lost.plugged)
    lost.cut_after = None
    lost.plug()
    make(laptop, lost, files, mode)


@pytest.fixture(autouse=True)
def short_wait(monkeypatch):
    """A board that was unplugged does not come back by itself: no test waits for it for long."""
    monkeypatch.setattr("tools.flash.board._RETURN_S", 3.0)


def blank_boards(laptop, plug, files, cuts: int) -> None:
    board = plug("probe")
    make(laptop, board, files)
    rng = random.Random(11)
    for number in range(cuts):
        step = board.taken // cuts
        lost = plug(f"cut{number}", identity=Identity(unique_id=f"e6616408431922{number:02x}"))
        at = 1 + step * number + rng.randrange(step - 1)
        cut_and_repair(laptop, lost, files, Mode.REPLACE, at)
        assert is_whole(laptop, lost, files), f"cut {number} of {cuts}"
        lost.unplug()


def test_flash_cable_pulled_at_many_points_is_repaired_by_the_same_command(laptop, plug, small):
    blank_boards(laptop, plug, small, CUTS)


@pytest.mark.slow
def test_flash_cable_pulled_at_very_many_points_is_repaired(laptop, plug, small) -> None:
    blank_boards(laptop, plug, small, 120)


@pytest.mark.long
def test_rotation_cut_anywhere_leaves_a_key_that_both_sides_know(laptop, plug, small) -> None:
    board = plug(flash_blocks=32)  # all free blocks are overwritten after each rotation
    make(laptop, board, small)
    before = board.taken
    make(laptop, board, small, Mode.ROTATE)
    step = (board.taken - before) // ROTATION_CUTS
    for number in range(ROTATION_CUTS):
        cut_and_repair(laptop, board, small, Mode.ROTATE, 1 + step * number + step // 2)
        assert is_whole(laptop, board, small), f"cut {number} of {ROTATION_CUTS}"


def test_flash_board_that_was_cut_off_does_not_start_half_an_image(laptop, plug, small) -> None:
    board = plug()
    make(laptop, board, small)
    held = back(board)
    held.hold()
    held.remove("guard.mpy")
    held.close()
    board.unplug()
    board.plug()
    held = back(board)
    assert "main.py" not in held.inventory(OWNED)
    held.close()


@pytest.mark.long
def test_flash_noise_on_the_line_is_detected_and_corrected(laptop, plug, small) -> None:
    rng, hits = random.Random(3), []

    def noisy(data: bytes) -> bytes:
        if rng.random() < 0.02 and len(data) > 40:
            hits.append(len(data))
            hurt = bytearray(data)
            hurt[rng.randrange(len(hurt))] ^= 1 << rng.randrange(7)
            return bytes(hurt)
        return data

    board = plug()
    board.noise = noisy
    for _ in range(30):
        with contextlib.suppress(CableError, BoardError):
            make(laptop, board, small)
        if len(hits) > 3:
            break
    board.noise = bytes
    assert len(hits) > 3
    make(laptop, board, small)
    assert is_whole(laptop, board, small)


def test_flash_over_old_files_and_an_update_in_use_removes_them(laptop, plug, small) -> None:
    board = plug()
    make(laptop, board, small)
    held = back(board)
    for path in ("b/ugs/node.py", "a/old.py", "slot0", "state/kept", "notes.txt"):
        held.send(path, b"1")
    held.close()
    make(laptop, board, small)
    held = back(board)
    there = held.inventory((*OWNED, "state", "notes.txt"))
    held.close()
    assert "state/kept" in there and "notes.txt" in there
    assert not {"b/ugs/node.py", "a/old.py"} & set(there)
    assert compare_hash(there["slot0"])


def compare_hash(digest: str) -> bool:
    return digest.startswith("e3b0c442")  # SHA-256 of nothing


def test_flash_blank_pico_takes_micropython_from_its_boot_rom_drive(
    site, plug, micropython, tmp_path, capsys
) -> None:
    folder = tmp_path / "pico"
    folder.mkdir()
    board = UsbBoard(folder, micropython)
    image = tmp_path / "some.uf2"
    program = bytes(random.Random(1).randbytes(40_000))
    image.write_bytes(uf2_image(program))
    programs = []

    def started(program: bytes) -> None:
        programs.append(program)
        board.plug()

    with Bootsel(folder, started) as rom:
        result = groundwatch(
            capsys,
            *flash(site, board, "--drive", str(rom.path), "--image", str(image)),
            "--board",
            "pico_w",
        )
        until(lambda: programs)
    board.unplug()
    assert programs[0][: len(program)] == program
    assert result["generation"] == 1
    assert result["micropython"]


def test_flash_pico_with_an_old_micropython_is_sent_to_its_boot_rom(
    site, plug, tmp_path, capsys, monkeypatch
) -> None:
    board = plug("pico", identity=Identity(version=(1, 20, 0)))
    image = tmp_path / "some.uf2"
    image.write_bytes(uf2_image(b"program" * 1000))

    def renewed(_program: bytes) -> None:
        board._identity.write_text(board._identity.read_text().replace("20", "25"))
        board.plug()

    rom = Bootsel(tmp_path, renewed)
    board.on_bootloader = rom.plug
    monkeypatch.setattr("tools.flash.ports.mounts", lambda: [rom.path])
    monkeypatch.setattr(
        "tools.flash.ports.boot_drives", lambda: [rom.path] if rom.path.exists() else []
    )
    result = groundwatch(capsys, *flash(site, board, "--image", str(image)))
    rom.unplug()
    assert result["generation"] == 1


@pytest.mark.parametrize("architecture", ["armv6m", "armv7emsp", "xtensawin"])
def test_flash_writes_what_the_micropython_on_the_board_loads(
    site, plug, capsys, architecture
) -> None:
    mpy = mpy_for("pico_w", architecture)
    board = plug(identity=Identity(mpy=mpy | 1 << 16))  # a flag of the architecture, not compared
    groundwatch(capsys, *flash(site, board))
    held = back(board)
    result = held._repl.run("f=open('a.fw','rb')\nf.seek(90)\nprint(f.read(70))")
    held.close()
    assert f"\\nmpy {mpy}\\n" in result.decode()


def test_flash_pico_whose_micropython_loads_another_format_gets_the_known_one(
    site, plug, tmp_path, capsys, monkeypatch
) -> None:
    board = plug("pico", identity=Identity(version=(1, 99, 0), mpy=7 | 4 << 10))
    image = tmp_path / "some.uf2"
    image.write_bytes(uf2_image(b"program" * 1000))

    def renewed(_program: bytes) -> None:
        board._identity.write_text(json.dumps(asdict(Identity())))
        board.plug()

    rom = Bootsel(tmp_path, renewed)
    board.on_bootloader = rom.plug
    monkeypatch.setattr("tools.flash.ports.mounts", lambda: [rom.path])
    monkeypatch.setattr(
        "tools.flash.ports.boot_drives", lambda: [rom.path] if rom.path.exists() else []
    )
    result = groundwatch(capsys, *flash(site, board, "--image", str(image)))
    rom.unplug()
    assert result["micropython"]
    assert result["generation"] == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--at", "75"], "75,12.5"),
        (["--at", "nan,1"], "75,12.5"),
        (["--at", "1e9,0"], "75,12.5"),
        (["--board", "toaster"], "esp32"),
        (["--port", "/dev/no-such-port"], "no-such-port"),
        (["--drive", "/tmp"], "INFO_UF2"),
        (["--config", "absent.toml"], "absent.toml"),
        (["--by", "x" * 300], "--by"),
    ],
)
def test_flash_invalid_argument_is_one_line_and_exit_2(site, capsys, words, part) -> None:
    base = ["flash", "n07", "--config", str(site), "--at", "75,12.5", "--port", "/dev/none"]
    assert cli.main([*base, *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert part in err


def test_flash_node_with_another_position_in_the_site_is_refused(site, capsys) -> None:
    words = ["flash", "n01", "--config", str(site), "--at", "5,5", "--port", "/dev/none"]
    assert cli.main(words) == 2
    assert "x_m = 0" in capsys.readouterr().err
