# SPDX-License-Identifier: MIT
"""`groundwatch node provision`: keys issued once, confirmed, rotated, replaced, revoked."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.enrolment import ENROLMENT, EnrolmentLog, KeyAct
from gateway.keys import at_epoch, derive, load_fleet_root, node_key
from gateway.keysafe import Rest, open_root, rest_of
from gateway.store.interface import BootRow, Writes
from gateway.store.sqlite import SqliteStore
from sim_hardware.usb.board import Identity
from tests.terminal import Terminal
from tests.usb.boards import until, write_site
from tools import cli
from tools.bundle import FIRMWARE
from tools.errors import UserError
from tools.flash.board import Board
from tools.flash.enrol import Mode, highest_boot

SECOND = Identity(unique_id="e661640843195555")
RECEIVED = (("n01", 40), ("n01", 41), ("n02", 99))
BLOCKS = 32  # all free blocks are overwritten when a key is replaced


@pytest.fixture
def site(tmp_path):
    return write_site(tmp_path)


@pytest.fixture
def root(site):
    return load_fleet_root(site.parent / "fleet.key")


def provision(capsys, site, *words: str, board=None) -> dict:
    if board is not None:
        until(board.port.exists)
        words = (*words, "--port", str(board.port))
    assert cli.main(["provision", *words, "--config", str(site), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, site, *words: str, board=None) -> str:
    if board is not None:
        until(board.port.exists)
        words = (*words, "--port", str(board.port))
    assert cli.main(["provision", *words, "--config", str(site)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith("groundwatch: ")
    return err[-1]


def test_provision_issues_a_key_once_and_verifies_it_afterwards(site, plug, capsys) -> None:
    board = plug()
    first = provision(capsys, site, "n01", board=board)
    assert (first["generation"], first["new_key"]) == (1, True)
    again = provision(capsys, site, "n01", board=board)
    assert (again["generation"], again["new_key"]) == (1, False)


def test_provision_rotation_leaves_no_trace_of_the_old_key_in_flash(site, plug, capsys, root):
    board = plug(flash_blocks=BLOCKS)
    provision(capsys, site, "n01", board=board)
    old, new = (node_key(root, "north", "n01", number) for number in (1, 2))
    assert old.hex().encode() in board.flash.read_bytes()
    assert provision(capsys, site, "n01", "--rotate", board=board)["generation"] == 2
    image = board.flash.read_bytes()
    assert image.count(old.hex().encode()) == image.count(old) == 0
    assert new.hex().encode() in image


# A year of a node in a second: its own code on the board, by the cable.
GO_ON = """
import json
from ugs.ratchet import Ratchet
def made():
 with open('node.json') as f:k=json.load(f).get('key')
 return Ratchet('state',k and bytes.fromhex(k))
made().step(10**12)
for day in range(1,4):
 r=made()
 assert r.step(10**12+day*86_400_000)
 while r.left!=0:r.scrub()
"""
ITS_CODE = ("ugs/__init__.py", "ugs/ratchet.py", "ugs/wire/__init__.py", "ugs/wire/keys.py")


def test_provision_board_with_a_later_key_epoch_keeps_it_until_it_is_rotated(
    site, plug, capsys, root
) -> None:
    board = plug(flash_blocks=BLOCKS)
    provision(capsys, site, "n01", board=board)
    until(board.port.exists)
    held = Board(str(board.port))
    for path in ITS_CODE:
        held.send(path, (FIRMWARE / path).read_bytes())
    held.raise_boot(1)
    held._repl.run(GO_ON)
    held.close()
    given = derive(node_key(root, "north", "n01", 1))
    chain = [at_epoch(given, epoch).key for epoch in range(4)]

    def left(keys) -> int:
        image = board.flash.read_bytes()
        return sum(image.count(key) + image.count(key.hex().encode()) for key in keys)

    assert left(chain[:3]) == 0
    assert left(chain[3:]) >= 1
    again = provision(capsys, site, "n01", board=board)
    assert (again["generation"], again["new_key"]) == (1, False)
    assert left(chain[:3]) == 0
    assert left(chain[3:]) >= 1
    assert provision(capsys, site, "n01", "--rotate", board=board)["generation"] == 2
    assert left(chain) == 0


def test_provision_second_board_under_a_known_name_is_refused(site, plug, capsys) -> None:
    provision(capsys, site, "n01", board=plug("one"))
    assert "--replace" in refused(capsys, site, "n01", board=plug("two", identity=SECOND))


def test_provision_of_a_node_on_a_serial_link_needs_no_network_and_is_stored(
    site, plug, capsys
) -> None:
    text = site.read_text()
    site.write_text(text[: text.index("[nodes]")])
    board = plug(flash_blocks=BLOCKS)
    provision(capsys, site, "n02", "--at", "3,0", "--link", "serial", board=board)
    assert 'link = "serial"' in (site.parent / "site.toml").read_text()
    until(board.port.exists)
    held = Board(str(board.port))
    digest = held.inventory(("node.json",))
    held.close()
    assert provision(capsys, site, "n02", board=board)["new_key"] is False
    until(board.port.exists)
    held = Board(str(board.port))
    assert held.inventory(("node.json",)) == digest
    held.close()
    error = refused(capsys, site, "n02", "--link", "wifi", board=board)
    assert "has link = serial for n02" in error


def test_provision_board_of_another_node_is_refused(site, plug, capsys) -> None:
    board = plug()
    provision(capsys, site, "n01", board=board)
    words = ("n02", "--at", "5,5")
    assert "this board is n01" in refused(capsys, site, *words, board=board)


def test_flash_refused_for_a_board_of_another_node_leaves_that_node_unchanged(
    site, plug, capsys
) -> None:
    board = plug(flash_blocks=BLOCKS)
    provision(capsys, site, "n01", board=board)
    until(board.port.exists)
    held = Board(str(board.port))
    held.send("main.py", b"print('node started')")
    held.close()
    before, resets = board.flash.read_bytes(), board.resets
    words = ["--config", str(site), "--at", "5,5", "--port", str(board.port)]
    assert cli.main(["flash", "n02", *words]) == 2
    assert "this board is n01" in capsys.readouterr().err
    until(lambda: board.resets == resets + 1)
    assert board.flash.read_bytes() == before
    assert "n02" not in (site.parent / "site.toml").read_text()


def test_provision_replacement_continues_the_boot_count_of_the_lost_board(
    site, plug, capsys, root
) -> None:
    provision(capsys, site, "n01", board=plug("lost"))
    store = site.parent / "data" / "groundwatch.db"
    made = SqliteStore(store)
    made.open()
    rows = [BootRow(node, boot, 0, 0, None, None, None, None) for node, boot in RECEIVED]
    made.commit(Writes(boots={(row.node, row.boot): row for row in rows}))
    made.close()
    assert highest_boot(store, "n01") == 41
    found = plug("found", identity=SECOND)
    result = provision(capsys, site, "n01", "--replace", "--why", "taken", board=found)
    assert result["generation"] == 2
    until(found.port.exists)
    held = Board(str(found.port))
    assert held.carried().boot == 41
    held.close()
    acts = [entry.act for entry in EnrolmentLog(site.parent / "data" / ENROLMENT, root).history()]
    assert acts == [KeyAct.OFFER, KeyAct.PROVE, KeyAct.REPLACE, KeyAct.PROVE]


def test_provision_wiped_counters_under_a_key_in_use_issue_a_new_key(laptop, plug) -> None:
    board = plug(flash_blocks=BLOCKS)
    held = Board(str(board.port))
    assert laptop.provisioner.enrol(held, laptop.wish()).generation == 1
    held.raise_boot(9)
    assert not laptop.provisioner.enrol(held, laptop.wish(floor=9)).is_new
    held.remove("state")
    assert laptop.provisioner.enrol(held, laptop.wish(floor=9)).generation == 2
    assert held.carried().boot == 9
    held.close()


def test_provision_clone_of_a_nodes_flash_is_detected_by_its_chip(laptop, plug) -> None:
    board = plug("real", flash_blocks=BLOCKS)
    held = Board(str(board.port))
    laptop.provisioner.enrol(held, laptop.wish())
    held.close()
    board.unplug()
    clone = plug("clone", identity=SECOND, flash_blocks=BLOCKS)
    clone.unplug()
    clone.flash.write_bytes(board.flash.read_bytes())
    clone.plug()
    held = Board(str(clone.port))
    with pytest.raises(UserError, match="a copy of its key"):
        laptop.provisioner.enrol(held, laptop.wish())
    with pytest.raises(UserError, match="a copy of its key"):
        laptop.provisioner.enrol(held, laptop.wish(mode=Mode.ROTATE))
    held.close()


def test_provision_revoked_node_returns_only_as_a_replacement(site, plug, capsys) -> None:
    board = plug(flash_blocks=BLOCKS)
    provision(capsys, site, "n01", board=board)
    assert "give the reason" in refused(capsys, site, "n01", "--revoke")
    provision(capsys, site, "n01", "--revoke", "--why", "stolen")
    assert "already" in refused(capsys, site, "n01", "--revoke", "--why", "stolen")
    assert "revoked" in refused(capsys, site, "n01", board=board)
    result = provision(capsys, site, "n01", "--replace", board=board)
    assert result["generation"] == 2
    assert provision(capsys, site, "--list")[0]["state"] == "proven"


def test_provision_list_shows_the_state_of_each_node(site, capsys) -> None:
    assert provision(capsys, site, "--list") == [
        {
            "node": "n01",
            "state": "not proven",
            "generation": 1,
            "offered": 0,
            "id": "",
            "revoked_at": "",
        }
    ]


def test_provision_fleet_key_moves_under_a_passphrase_and_still_gives_the_same_keys(
    site, tmp_path, capsys, monkeypatch, root
) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("GROUNDWATCH_PASSPHRASE_FILE", str(words))
    assert cli.main(["provision", "--root", "passphrase", "--config", str(site)]) == 0
    key = site.parent / "fleet.key"
    assert rest_of(key) is Rest.PASSPHRASE
    assert open_root(key) == root
    assert root.hex() not in key.read_text() + capsys.readouterr().out


def test_provision_new_passphrase_of_the_fleet_key_is_typed_twice(site, root) -> None:
    key = site.parent / "fleet.key"
    before = key.read_bytes()
    words = ("provision", "--root", "passphrase")
    with Terminal(site.parent, *words) as terminal:
        terminal.answer("new passphrase", "correct horse battery")
        terminal.answer("the same again", "correct horse batery")
        assert terminal.end() == 2
        assert "differ" in terminal.shown.splitlines()[-1]
    assert key.read_bytes() == before
    with Terminal(site.parent, *words) as terminal:
        terminal.answer("new passphrase", "correct horse battery")
        terminal.answer("the same again", "correct horse battery")
        assert terminal.end() == 0
    assert open_root(key, lambda _prompt: "correct horse battery") == root


def test_provision_new_fleet_key_is_made_once(site, capsys) -> None:
    key = site.parent / "fleet.key"
    assert "depend on it" in refused(capsys, site, "--new-root")
    key.unlink()
    assert cli.main(["provision", "--new-root", "--config", str(site)]) == 0
    assert len(load_fleet_root(key)) == 32


def test_provision_while_it_runs_shows_no_key_in_the_list_of_processes(site, plug, root) -> None:
    board = plug()
    words = ["provision", "n01", "--config", str(site), "--port", str(board.port)]
    with subprocess.Popen([sys.executable, "-m", "tools.cli", *words]) as process:
        seen = set()
        while process.poll() is None:
            for name in ("cmdline", "environ"):
                with contextlib.suppress(OSError):  # it may have just ended
                    seen.add(Path(f"/proc/{process.pid}/{name}").read_bytes())
            time.sleep(0.01)
    assert process.returncode == 0
    key = node_key(root, "north", "n01", 1)
    assert not any(secret.hex().encode() in text for text in seen for secret in (key, root))
