# SPDX-License-Identifier: MIT
"""Log of a node: parts in any order make its lines, and none of them can steer a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.node_commands.lines import assemble_log
from gateway.wire import codec
from gateway.wire.messages import Log


def part(index: int, total: int, data: bytes, number: int = 5) -> bytes:
    return codec.encode(Log(command_id=number, index=index, total=total, data=data))


def test_parts_in_any_order_and_twice_make_the_lines() -> None:
    parts = [part(1, 2, "\u00fcp\n4 x".encode()[1:]), part(0, 2, b"3 link \xc3")]
    found = assemble_log([*parts, parts[0]], 5)
    assert found is not None
    assert (found.parts, found.parts_missing) == (2, 0)
    assert found.lines == ("3 link \u00fcp", "4 x")


def test_part_that_is_lost_is_named_and_others_are_passed_over() -> None:
    found = assemble_log([part(0, 3, b"a"), part(2, 3, b"b"), part(1, 3, b"no", 6), b"\xff"], 5)
    assert found is not None
    assert (found.parts_missing, found.lines) == (1, ("a", "[a part is missing]", "b"))
    assert assemble_log([b"", part(0, 1, b"x", 6)], 5) is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.binary(max_size=96)), max_size=9)
)
def test_whatever_a_node_sends_can_be_shown(parts: list[tuple[int, int, bytes]]) -> None:
    found = assemble_log([part(*one) for one in parts], 5)
    if found is not None:
        assert all(line.isprintable() for line in found.lines)
        assert 0 <= found.parts_missing <= found.parts
