# SPDX-License-Identifier: MIT
"""Waveforms: the node's mu-law and the gateway's are one, and lost parts are seen."""

from __future__ import annotations

import pytest

from gateway.node_commands.snippets import assemble, linear
from gateway.wire import codec
from gateway.wire.messages import Snippet, SnippetEncoding
from ugs.remote.mulaw import mulaw

# ITU-T G.711, table 2a: decoder values at codes of each segment's ends, times four.
G711 = {0xFF: 0, 0xFE: 8, 0xEF: 132, 0x80: 32_124, 0x00: -32_124, 0x7F: 0, 0x8F: 16_764}


def part(index: int, total: int, data: bytes, number: int = 5) -> bytes:
    return codec.encode(
        Snippet(t_ms=1000 + 4 * 10 * index, command_id=number, fs_hz=250, index=index, total=total,
                encoding=SnippetEncoding.MULAW8, data=data)
    )  # fmt: skip


@pytest.mark.parametrize("code", G711)
def test_linear_gives_the_values_of_the_standard(code: int) -> None:
    assert linear(code) == G711[code]


def test_every_code_decoded_and_encoded_is_itself() -> None:
    for code in range(256):
        assert linear(mulaw(linear(code))) == linear(code)


@pytest.mark.parametrize("value", [0, 1, -1, 7, 100, -1000, 9999, 32_635, -32_635, 10**9, -(10**9)])
def test_sample_is_right_within_a_thirty_second(value: int) -> None:
    bounded = max(-32_635, min(32_635, value))
    assert abs(linear(mulaw(value)) - bounded) <= 4 + abs(bounded) / 32


def test_parts_in_any_order_and_twice_make_the_waveform() -> None:
    parts = [part(2, 3, b"\x80" * 4), part(0, 3, b"\xff" * 10), part(1, 3, b"\x00" * 10)]
    found = assemble([*parts, parts[1]], 5)
    assert found is not None
    assert (found.fs_hz, found.t_ms, found.parts, found.parts_missing) == (250, 1000, 3, 0)
    assert found.samples == (0,) * 10 + (-32_124,) * 10 + (32_124,) * 4


def test_part_that_is_lost_is_a_gap() -> None:
    found = assemble([part(1, 3, b"\xff" * 10), part(2, 3, b"\xff" * 4)], 5)
    assert found is not None
    assert (found.parts_missing, found.t_ms) == (1, 1000)
    assert found.samples == (None,) * 10 + (0,) * 14


def test_parts_of_another_command_and_what_is_no_part_are_passed_over() -> None:
    assert assemble([part(0, 1, b"\xff", 6), b"", b"\xff\xff"], 5) is None
