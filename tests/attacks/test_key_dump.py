# SPDX-License-Identifier: MIT
"""A stolen node's flash, read byte by byte: which keys it holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from gateway import keys
from gateway.wire import seal
from gateway.wire.errors import WireError
from sim_hardware.emulated.flash import filesystem_image
from tests.attacks.conftest import Report
from tests.node.conftest import config
from tests.on_node import run_on_node
from tools.bundle import write_tree

BLOCK, BLOCKS = 4096, 212
ROOT = b"\x42" * 32
STEPS = Path(__file__).parents[1] / "ratchet" / "on_node" / "steps.py"
DIGITS = re.compile(rb"[0-9a-f]{64}")


def secrets_of(key: bytes) -> list[bytes]:
    """A node key and all values derived from it, raw and in hex digits."""
    derived = keys.derive(key)
    raw = [key, derived.up_key, derived.down_key, derived.up_iv, derived.down_iv]
    return [*raw, *(value.hex().encode() for value in raw), derived.mqtt_password.encode()]


def candidates(image: bytes) -> Iterator[bytes]:
    """Everything in a flash that may be a key: 32 bytes of some variety, or 64 digits."""
    seen: set[bytes] = set()
    for at in range(len(image) - 31):
        window = image[at : at + 32]
        if len(set(window)) > 8:
            seen.add(window)
    seen.update(bytes.fromhex(text.decode()) for text in DIGITS.findall(image))
    yield from seen


def test_flash_of_one_node_opens_no_message_of_past_epochs_or_other_nodes(
    micropython: Path, tmp_path: Path, report: Report
):
    epochs = 6
    run_on_node(micropython, STEPS, "dump", str(tmp_path / "flash"), str(epochs), heap="8m")
    image = (tmp_path / "flash").read_bytes()
    # One recorded radio message per epoch. The last epoch is the one in the flash.
    given = keys.derive(bytes(range(32)))
    recorded, other = [], []
    for epoch in range(epochs + 1):
        recorded.append(sealed_with(keys.at_epoch(given, epoch), epoch))
    for number in range(8, 18):
        stranger = keys.derive(keys.node_key(ROOT, "north", f"n{number:02}"))
        other.append(sealed_with(stranger, 0))
    opened: set[int] = set()
    tried = 0
    for key in candidates(image):
        tried += 1
        found = keys.derive(key)
        for later in (found, keys.next_epoch(found)):
            opened |= {
                number
                for number, (piv, data) in enumerate([*recorded, *other])
                if opens(later, piv, data)
            }
    assert tried > 1000
    assert epochs in opened, "the present key is in the dump, and this attack finds it"
    report.add(
        "key dump: messages of past epochs",
        epochs,
        len(opened & set(range(epochs))),
        f"by {tried} strings of the flash image",
    )
    report.add(
        "key dump: messages of other nodes",
        len(other),
        len(opened - set(range(epochs + 1))),
        f"by {tried} strings of the flash image",
    )
    past = [given, *(keys.at_epoch(given, epoch) for epoch in range(1, epochs))]
    wanted = [
        text
        for one in past
        for raw in (one.key, one.up_key, one.down_key)
        for text in (raw, raw.hex().encode())
    ]
    found_in = sum(text in image for text in wanted)
    report.add("key dump: past epochs' keys", len(wanted), found_in, "not in the flash image")


def sealed_with(now: keys.NodeKeys, epoch: int) -> tuple[bytes, bytes]:
    """(Partial IV, sealed message) of a node."""
    piv = (epoch + 1).to_bytes(2, "big") + b"\0\1"
    return piv, seal.seal(now.up_key, now.up_iv, piv, b"a detection", b"topic")


def opens(now: keys.NodeKeys, piv: bytes, data: bytes) -> bool:
    try:
        return seal.open_sealed(now.up_key, now.up_iv, data, b"topic")[0] == piv
    except WireError:
        return False


def test_flash_of_one_node_holds_no_key_of_another_node(tmp_path: Path, report: Report):
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
