# SPDX-License-Identifier: MIT
"""Secrets that others can read: modes of the store's files, gateway.toml, and the network."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import load_config
from tests.gateway.played_node import write_config
from tests.outbox.deliveries import secret
from tools.cli import main

EXTERNAL = 'kind = "external"\nhost = "10.0.0.9"\nusername = "gw"\n'
PASSWORD = 'password = "in the file"\n'
NODES = '[nodes]\nssid = "yard"\npassphrase = "in the file too"\nhost = "10.0.0.1"\n'


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_store_of_a_new_site_is_for_its_owner_only(tmp_path: Path) -> None:
    async with Gateway(load_config(write_config(tmp_path, "port = 0"))) as gateway:
        await gateway.service.flush()
        data = tmp_path / "data"
        assert mode(data) == 0o700
        wide = {one.name: oct(mode(one)) for one in data.iterdir() if mode(one) & 0o077}
        assert wide.keys() <= {"audit.pub", "audit.head"}  # given to those who verify


async def test_store_that_others_could_read_is_taken_from_them_at_the_next_start(
    tmp_path: Path,
) -> None:
    config = load_config(write_config(tmp_path, "port = 0"))
    async with Gateway(config):
        pass
    store = tmp_path / "data" / "groundwatch.db"
    store.chmod(0o644)
    async with Gateway(config) as gateway:
        await gateway.service.flush()
        assert [mode(one) & 0o077 for one in store.parent.glob("groundwatch.db*")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("broker", "more", "words"),
    [
        (EXTERNAL + PASSWORD, "", "others may read broker.password"),
        ("port = 0", NODES, "others may read nodes.passphrase"),
        ("port = 0", '[store]\nurl = "postgresql://gw:pw@db/gw"\n', "password in store.url"),
    ],
)
def test_secret_in_a_file_that_others_may_read_is_stated_and_no_more_after_chmod(
    broker: str, more: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(tmp_path, broker, serial=more)
    path.chmod(0o644)
    assert words in " ".join(load_config(path).exposed)
    assert main(["gateway", "check", "--config", str(path)]) == 1
    assert words in capsys.readouterr().out
    path.chmod(0o600)
    assert words not in " ".join(load_config(path).exposed)


CLEAR = "is sent in the clear"


@pytest.mark.parametrize(
    ("broker", "table", "words"),
    [
        (EXTERNAL + "password_file = KEY\n", "", f"the password of the broker {CLEAR}"),
        (EXTERNAL + "password_file = KEY\ntls = true\n", "", ""),
        (EXTERNAL.replace("10.0.0.9", "127.0.0.1") + "password_file = KEY\n", "", ""),
        (
            "port = 0",
            'kind = "mqtt"\nhost = "10.0.0.9"\nusername = "a"\npassword_file = KEY\n',
            f"the password of connector one {CLEAR}",
        ),
        ("port = 0", 'kind = "ntfy"\nurl = "http://10.0.0.9/"\ntopic = "a"\n', "in the clear"),
        ("port = 0", 'kind = "webhook"\nurl = "http://h.example/"\nsecret_file = KEY\n', "clear"),
        ("port = 0", 'kind = "ntfy"\nurl = "http://127.0.0.1/"\ntopic = "a"\n', ""),
        ("port = 0", 'kind = "ntfy"\nurl = "https://ntfy.sh/"\ntopic = "a"\n', ""),
    ],
)
def test_secret_that_travels_in_the_clear_to_another_machine_is_stated(
    broker: str, table: str, words: str, tmp_path: Path
) -> None:
    key = f'"{secret(tmp_path, "a secret of the other side")}"'
    head = '[[connector]]\nname = "one"\n' if table else ""
    path = write_config(
        tmp_path, broker.replace("KEY", key), serial=head + table.replace("KEY", key)
    )
    found = " ".join(load_config(path).exposed)
    assert words in found if words else found == ""


async def test_exposed_secret_is_on_the_page_and_the_gateway_starts(tmp_path: Path) -> None:
    path = write_config(tmp_path, "port = 0", serial=NODES)
    path.chmod(0o640)
    async with Gateway(load_config(path)) as gateway:
        await asyncio.sleep(0)
        assert any("nodes.passphrase" in line for line in gateway._warnings())
