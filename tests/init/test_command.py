# SPDX-License-Identifier: MIT
"""`groundwatch init`: an empty folder becomes a site that starts; a second run changes nothing."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.config import load_config
from gateway.console.operators import Role, load_operators
from tests.gateway.sign_in import Browser
from tests.ports import free_port
from tests.processes import end
from tests.terminal import EOT, ROOT, Terminal
from tools import cli

WIFI, OPERATOR = "correct horse battery", "four words are long"
LOOPBACK = ("--address", "127.0.0.1")


def init(capsys, folder: Path, *words: str) -> dict:
    assert cli.main(["init", str(folder), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, folder: Path, *words: str) -> str:
    assert cli.main(["init", str(folder), *words]) == 2
    err = capsys.readouterr().err
    return err.splitlines()[-1]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def answered(folder: Path, *answers: tuple[str, str]) -> tuple[int, str]:
    with Terminal(folder, "init") as terminal:
        for question, text in answers:
            terminal.answer(question, text)
        return terminal.end(), terminal.shown


def test_init_five_questions_at_a_terminal_make_a_site(tmp_path: Path) -> None:
    status, shown = answered(
        tmp_path,
        ("name of the site", "North"),
        ("is no site name", "north"),
        ("where on Earth", "48.1374,11.5755"),
        ("SSID", ""),
        ("passphrase of the Wi-Fi", WIFI),
        ("the same again", "another one"),
        ("passphrase of the Wi-Fi", WIFI),
        ("the same again", WIFI),
        ("address of this machine", "127.0.0.1"),
        ("no node reaches 127.0.0.1", "192.168.4.1"),
        ("time zone", "Europe/Berlin"),
        ("first operator", ""),
        ("passphrase of eva", OPERATOR),
        ("the same again", OPERATOR),
        ("notifications", "none"),
    )
    assert status == 0
    assert "the two differ" in shown
    assert WIFI not in shown and OPERATOR not in shown
    config = load_config(tmp_path / "gateway.toml")
    assert config.nodes is not None
    assert (config.nodes.ssid, config.nodes.passphrase) == ("groundwatch", WIFI)
    assert (config.nodes.host, config.nodes.country) == ("192.168.4.1", "DE")
    assert config.broker.host == "0.0.0.0"
    assert load_operators(tmp_path / "operators.toml")["eva"].role is Role.SUPERVISOR


def test_init_end_of_input_is_one_line_and_leaves_the_folder_empty(tmp_path: Path) -> None:
    status, shown = answered(tmp_path, ("name of the site", "north"), ("where on Earth", EOT))
    assert status == 2
    assert shown.splitlines()[-1].startswith("groundwatch: the input ended")
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_init_yes_takes_defaults_and_secrets_are_private(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "north"
    done = init(capsys, folder, "--yes", *LOOPBACK)
    assert done["site"] == "north"
    assert done["written"][-1] == "gateway.toml"
    for name in ("keys/fleet.key", "keys/wifi.secret", "operators.toml"):
        assert mode(folder / name) == 0o600
    assert {mode(folder / name) for name in ("", "keys", "data")} == {0o700}
    config = load_config(folder / "gateway.toml")
    assert config.nodes is not None
    assert done["wifi_passphrase"] == config.nodes.passphrase
    assert config.broker.host == "127.0.0.1"  # asked for: no others reach it then
    assert not list(folder.glob(".init-*"))


async def test_init_gateway_starts_from_it_and_the_operator_signs_in(tmp_path, capsys) -> None:
    ports = ("--broker-port", str(free_port()), "--console-port", str(free_port()))
    done = init(capsys, tmp_path, "--yes", "--operator", "Eva M.", *LOOPBACK, *ports)
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.cli", "gateway", "--config", "gateway.toml", "--json"),
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert gateway.stdout is not None
        ready = json.loads(await asyncio.wait_for(gateway.stdout.readline(), 60))
        assert (ready["type"], ready["broker_port"]) == ("ready", int(ports[1]))
        browser = Browser(ready["console"])
        assert await browser.sign_in("Eva M.", "not the one") == 403
        assert await browser.sign_in("Eva M.", done["operator_passphrase"]) == 200
        await browser.http.close()
    finally:
        await end(gateway)


def test_init_again_changes_nothing_and_reports_what_is_there(tmp_path: Path, capsys) -> None:
    init(capsys, tmp_path, "--yes", "--site", "north", *LOOPBACK)
    before = contents(tmp_path)
    done = init(capsys, tmp_path, "--yes")
    assert (done["site"], done["changed"]) == ("north", [])
    assert contents(tmp_path) == before


def test_init_again_changes_what_is_named_after_a_question(tmp_path: Path, capsys) -> None:
    init(capsys, tmp_path, "--yes", "--site", "north", *LOOPBACK)
    before = contents(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text(WIFI + "\n")
    secret.chmod(0o600)
    words = ("--wifi", "field 2", "--wifi-passphrase-file", "secret", "--address", "10.0.0.7")
    with Terminal(tmp_path, "init", *words) as terminal:
        terminal.answer("change this?", "n")
        assert terminal.end() == 2
    assert contents(tmp_path) == {**before, "secret": f"{WIFI}\n".encode()}
    with Terminal(tmp_path, "init", *words) as terminal:
        terminal.answer("change this?", "y")
        assert terminal.end() == 0
        assert "flash" in terminal.shown and WIFI not in terminal.shown
    config = load_config(tmp_path / "gateway.toml")
    assert config.nodes is not None
    assert (config.nodes.ssid, config.nodes.passphrase) == ("field 2", WIFI)
    assert (config.nodes.host, config.broker.host) == ("10.0.0.7", "0.0.0.0")
    assert contents(tmp_path)["keys/fleet.key"] == before["keys/fleet.key"]
    assert mode(tmp_path / "keys/wifi.secret") == 0o600


def test_init_again_adds_place_notification_and_release_key(tmp_path: Path, capsys) -> None:
    init(capsys, tmp_path, "--yes", *LOOPBACK)
    (tmp_path / "release.pub").write_text("ab" * 32 + "\n")
    done = init(
        capsys,
        tmp_path,
        *("--yes", "--place", "48,11", "--release-key", "release.pub"),
        *("--notify", "webhook", "--notify-to", "https://example.net/hook/secret-path"),
    )
    assert done["place"] == [48.0, 11.0]
    assert done["connectors"] == ["duty"]
    assert load_config(tmp_path / "gateway.toml").release_key == b"\xab" * 32
    assert "secret-path" not in json.dumps(done)
    again = ("--notify", "webhook", "--notify-to", "https://example.net/other")
    assert "already" in refused(capsys, tmp_path, "--yes", *again)


def test_init_cut_off_before_its_last_file_is_completed(tmp_path: Path, capsys) -> None:
    init(capsys, tmp_path, "--yes", "--site", "north", *LOOPBACK)
    before = contents(tmp_path)
    (tmp_path / "gateway.toml").unlink()
    done = init(capsys, tmp_path, "--yes", *LOOPBACK)
    assert done["written"] == ["gateway.toml"]
    assert "operator_passphrase" not in done
    assert contents(tmp_path).keys() == before.keys()
    for name in before.keys() - {"gateway.toml"}:
        assert contents(tmp_path)[name] == before[name]


def test_init_with_an_existing_fleet_key_uses_it(tmp_path: Path, capsys) -> None:
    (tmp_path / "fleet.key").write_text("cd" * 32 + "\n")
    (tmp_path / "fleet.key").chmod(0o600)
    done = init(capsys, tmp_path, "--yes", *LOOPBACK)
    assert "fleet.key" in done["kept"]
    assert load_config(tmp_path / "gateway.toml").fleet_key == tmp_path / "fleet.key"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--site", "North"], "site name"),
        (["--place", "here"], "48.1374,11.5755"),
        (["--wifi", "x" * 33], "32 bytes"),
        (["--address", "::1"], "192.168.4.1"),
        (["--time-zone", "Mars"], "Europe/Berlin"),
        (["--operator", "../x"], "operator's name"),
        (["--notify", "ntfy"], "--notify-to"),
        (["--notify", "email", "--notify-to", "a@b.net"], "--mail-server"),
        (["--broker-port", "0"], "0"),
        (["--broker-port", "70000"], "70000"),
        (["--passphrase-file", "absent"], "absent"),
        (["--release-key", "release.pub"], "first"),
    ],
)
def test_init_invalid_option_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys, words, part
) -> None:
    place = LOOPBACK if "--address" not in words else ()
    line = refused(capsys, tmp_path / "site", "--yes", *place, *words)
    assert part in line
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--site", "south"], "every node's key"),
        (["--operator", "tom"], "groundwatch operator add"),
        (["--address", "::1"], "192.168.4.1"),
        (["--release-key", "absent.pub"], "absent.pub"),
        (["--notify", "none"], "by hand"),
        (["--place", "none"], "by hand"),
    ],
)
def test_init_again_refuses_in_one_line_and_changes_nothing(
    tmp_path: Path, capsys, words, part
) -> None:
    init(capsys, tmp_path, "--yes", "--site", "north", *LOOPBACK)
    before = contents(tmp_path)
    assert part in refused(capsys, tmp_path, "--yes", *words)
    assert contents(tmp_path) == before


def test_init_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tools.cli", "init", "file/site", "--yes", *LOOPBACK],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
