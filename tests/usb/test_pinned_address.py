# SPDX-License-Identifier: MIT
"""The address of the broker that `groundwatch node flash` writes beside its name."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import config
from tests.on_node import run_on_node
from tools.flash.job import _address_of


@pytest.mark.parametrize(
    ("host", "answer", "pinned"),
    [
        ("gateway.field.example", "10.0.0.7", "10.0.0.7"),
        ("gateway.field.example", None, ""),
        # A gateway that knows its own name as loopback: Debian writes 127.0.1.1 to /etc/hosts.
        ("gateway", "127.0.1.1", ""),
        ("192.168.4.1", "192.168.4.1", ""),
        ("", "0.0.0.0", ""),  # what the call gives for an empty name
    ],
)
def test_flash_pins_the_address_of_a_name(
    host: str, answer: str | None, pinned: str, monkeypatch: pytest.MonkeyPatch
):
    def getaddrinfo(asked: str, *_hints: Any) -> Any:
        assert asked == host
        if answer is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert _address_of(host) == pinned


def test_flash_with_a_name_longer_than_a_label_pins_nothing():
    assert _address_of("x" * 64 + ".example") == ""


def test_node_reads_the_pinned_address_and_the_country(micropython_i386: Path, tmp_path: Path):
    made = replace(config("pico_w"), host="gateway.lan", address="10.0.0.7", country="DE")
    (tmp_path / "node.json").write_text(made.as_json())
    script = tmp_path / "show.py"
    script.write_text(
        "from ugs.config import load_config\n"
        "c = load_config('node.json')\n"
        "print(c.host, c.address, c.port, c.country)\n"
    )
    assert run_on_node(micropython_i386, script) == ["gateway.lan 10.0.0.7 1883 DE"]
