# SPDX-License-Identifier: MIT
"""A stolen node's flash, read byte by byte: whose keys are in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gateway import keys
from tests.attacks.conftest import Report
from tests.node.conftest import config
from tests.picow.emulated import filesystem_image
from tools.bundle import write_tree

BLOCK, BLOCKS = 4096, 212
ROOT = b"\x42" * 32


def secrets_of(key: bytes) -> list[bytes]:
    """A node key and all that is derived from it, raw and in hex digits."""
    derived = keys.derive(key)
    raw = [key, derived.up_key, derived.down_key, derived.up_iv, derived.down_iv]
    return [*raw, *(value.hex().encode() for value in raw), derived.mqtt_password.encode()]


def test_flash_of_one_node_holds_its_own_key_and_nobody_elses(tmp_path: Path, report: Report):
    own = keys.node_key(ROOT, "north", "n07")
    write_tree(dataclasses.replace(config("pico_w"), key=own), tmp_path / "n07")
    image = filesystem_image(tmp_path / "n07", BLOCKS, BLOCK)
    assert own.hex().encode() in image, "the dump is of the right node"
    others = [f"n{number:02}" for number in range(100) if number != 7]
    wanted = [ROOT, ROOT.hex().encode()]
    for name in others:
        wanted += secrets_of(keys.node_key(ROOT, "north", name))
    for generation in (2, 3):
        wanted += secrets_of(keys.node_key(ROOT, "north", "n07", generation))
    found = sum(secret in image for secret in wanted)
    report.add("key dump: other nodes' keys", len(wanted), found, "not in the flash image")
