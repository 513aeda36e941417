# SPDX-License-Identifier: MIT
"""The fleet key's file, and what is derived from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway import keys
from gateway.errors import ConfigError

VECTORS = json.loads((Path(__file__).parent / "vectors" / "keys.json").read_text())


@pytest.mark.parametrize("vector", VECTORS)
def test_node_key_of_a_fleet_root_is_that_of_the_vectors(vector: dict[str, str | int]) -> None:
    root = bytes.fromhex(str(vector["fleet_root"]))
    site, node, generation = str(vector["site"]), str(vector["node"]), int(vector["generation"])
    assert keys.node_key(root, site, node, generation).hex() == vector["node_key"]


def test_fleet_root_created_is_private_and_loads_again(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    root = keys.create_fleet_root(path)
    assert len(root) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.load_fleet_root(path) == root


def test_fleet_root_is_different_each_time(tmp_path: Path) -> None:
    assert keys.create_fleet_root(tmp_path / "a") != keys.create_fleet_root(tmp_path / "b")


def test_fleet_root_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    root = keys.create_fleet_root(path)
    with pytest.raises(ConfigError, match="already"):
        keys.create_fleet_root(path)
    assert keys.load_fleet_root(path) == root


def test_fleet_root_in_no_folder_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        keys.create_fleet_root(tmp_path / "absent" / "fleet.key")
    with pytest.raises(ConfigError, match="cannot read"):
        keys.load_fleet_root(tmp_path / "absent" / "fleet.key")


def test_fleet_root_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.key"
    keys.create_fleet_root(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.load_fleet_root(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"00" * 31,
        b"00" * 33,
        b"0x" + b"00" * 31,
        b"zz" * 32,
        b"\xff" * 64,
        b"00" * 32 + b"\n00",
    ],
)
def test_fleet_root_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fleet.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="64 hex digits"):
        keys.load_fleet_root(path)


def test_keys_are_not_shown() -> None:
    made = keys.derive(bytes(range(32)))
    assert made.mqtt_password not in repr(made)
    assert repr(made.up_key) not in repr(made)
