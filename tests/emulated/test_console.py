# SPDX-License-Identifier: MIT
"""The log of what a board printed: whole lines, their times, bounds."""

from __future__ import annotations

from sim_hardware.emulated.console import LINES_MAX, Console


def test_console_keeps_whole_lines_with_the_time_of_their_end():
    console = Console()
    console.take(b"a\r\nb", 5)
    assert console.since(0, 10) == ([(5, "a")], 1)
    console.take(b"c\n\xff\n", 7)
    assert console.since(1, 10) == ([(7, "bc"), (7, "�")], 3)
    assert console.since(3, 10) == ([], 3)


def test_console_gives_no_more_than_was_asked_for():
    console = Console()
    console.take(b"a\nb\nc\n", 1)
    assert console.since(0, 2) == ([(1, "a"), (1, "b")], 2)


def test_console_loses_the_oldest_and_counts_them():
    console = Console()
    for number in range(LINES_MAX + 3):
        console.take(b"%d\n" % number, number)
    assert console.lost == 3
    assert console.since(0, 1) == ([(3, "3")], 4)


def test_console_cuts_a_line_without_end():
    console = Console()
    for _ in range(10):
        console.take(b"x" * 1000, 1)
    assert [len(text) for _at, text in console.since(0, 10)[0]] == [5000, 5000]
