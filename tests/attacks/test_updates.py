# SPDX-License-Identifier: MIT
"""Attacks by firmware: a compromised gateway offers a real node packages not released for it.
The node decides, under real MicroPython; its old firmware keeps running."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.updates import package
from gateway.updates.package import Release
from tests.attacks.conftest import Report
from tests.update.field import RELEASE_KEY, Field
from tools.compiled import mpy_for, mpy_of_interpreter
from tools.micropython import find
from tools.release import make_release

STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)


def released(
    version: str,
    board: str = "pico_w",
    key: Ed25519PrivateKey = RELEASE_KEY,
    architecture: str | None = None,
) -> Release:
    """A release for nodes of this machine, or for an architecture."""
    mpy = mpy_for(board, architecture) if architecture else mpy_of_interpreter(find())
    return package.parse(make_release(board, version, key, mpy=mpy), key.public_key(), "it")


def tampered(release: Release, file: int) -> Release:
    """One bit of one file is flipped; the signed parts stay unchanged."""
    contents = list(release.contents)
    contents[file] = contents[file][:-1] + bytes((contents[file][-1] ^ 1,))
    return dataclasses.replace(release, contents=tuple(contents))


def attacks() -> dict[str, tuple[Release, str]]:
    """The releases, and the reason that the node reports."""
    good = released("9.0.0")
    changed = next(i for i, data in enumerate(good.contents) if b"9.0.0" in data)
    other = good.manifest.replace(b"version 9.0.0", b"version 9.0.1")
    return {
        "unsigned update": (
            dataclasses.replace(good, signature=bytes(64)),
            "the signature is not by its release key",
        ),
        "update signed by a stranger": (
            released("9.0.0", key=STRANGER),
            "the signature is not by its release key",
        ),
        "manifest changed after signing": (
            dataclasses.replace(good, manifest=other),
            "the signature is not by its release key",
        ),
        "file changed after signing": (
            tampered(good, changed),
            "a file differed from its hash",
        ),
        "update for another board": (released("9.0.0", "esp32"), "for another board"),
        "update for another processor": (
            released("9.0.0", architecture="armv6m"),
            "compiled for another processor",
        ),
        "downgrade": (released("0.0.9"), "not newer than one it had"),
    }


async def test_updates_not_released_for_a_node_are_refused_by_it_and_raise_alarms(
    micropython: Path, tmp_path: Path, report: Report
):
    async with Field(tmp_path, micropython, ["n01"]) as field:
        await field.connected()
        node = field.nodes["n01"]
        boots = node.boots
        for attack, (release, refusal) in attacks().items():
            before = len(field.alarms())
            await field.update(release, [["n01"]])
            rollout = await field.ended()
            assert refusal in rollout.nodes[0].reason, attack
            await field.until(lambda: len(field.alarms()) > before, 10, "alarm")  # noqa: B023  # awaited here
            kinds = [kind for kind, reason in field.alarms()[before:] if refusal in reason]
            # The wrong processor may be an operator's mistake.
            assert kinds == ["node_fault" if "processor" in attack else "forgery"], attack
            report.add(attack, 1, int(not rollout.nodes[0].reason), f"alarm: {refusal}")
        assert node.boots == boots
        assert "update whole" not in node.text()
        assert field.gateway.service.stages.intake.registry.views["n01"].fw == "0.1.0"
