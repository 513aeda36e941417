# SPDX-License-Identifier: MIT
"""The picture: level, versions, and what a late reader is given."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ports import picture as picture_module
from gateway.ports.picture import Picture

STEPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.none() | st.integers(0, 2)),
    max_size=40,
)


def apply(picture: Picture, steps: list[tuple[str, str, int | None]]) -> None:
    for kind, name, value in steps:
        if value is None:
            picture.remove(kind, name)
        else:
            picture.put(kind, name, value)


@settings(deadline=None)
@given(before=STEPS, after=STEPS)
def test_picture_delta_makes_of_what_a_reader_had_what_is_there(
    before: list[tuple[str, str, int | None]], after: list[tuple[str, str, int | None]]
) -> None:
    picture = Picture()
    apply(picture, before)
    first = picture.since(0)
    held = {(kind, name): value for kind, name, value in first.changes}
    apply(picture, after)
    delta = picture.since(first.version)
    if delta.whole:
        held.clear()
    for kind, name, value in delta.changes:
        if value is None:
            held.pop((kind, name), None)
        else:
            held[kind, name] = value
    now = {(kind, name): value for kind in "ab" for name, value in picture.all(kind)}
    assert held == now
    assert all(picture.get(*key) == value for key, value in now.items())


def test_picture_all_of_a_kind_is_in_order_of_the_latest_change() -> None:
    picture = Picture()
    apply(picture, [("a", "1", 0), ("b", "9", 0), ("a", "2", 0), ("a", "1", 1), ("a", "3", 0)])
    picture.remove("a", "3")
    assert list(picture.all("a")) == [("2", 0), ("1", 1)]
    assert list(picture.all("none")) == []


def test_picture_reader_away_for_longer_than_names_are_kept_is_given_everything() -> None:
    picture = Picture()
    picture.put("a", "first", 1)
    version = picture.version
    for number in range(picture_module.REMOVED_MAX + 2):
        picture.put("a", str(number), 1)
        picture.remove("a", str(number))
    delta = picture.since(version)
    assert delta.whole
    assert [change.id for change in delta.changes] == ["first"]
    assert len(picture._entries) <= picture_module.REMOVED_MAX + 2


async def test_picture_wakes_who_waits_for_the_next_version() -> None:
    picture = Picture()
    waits = asyncio.create_task(picture.changed(picture.version))
    await asyncio.sleep(0)
    assert not waits.done()
    picture.put("a", "1", 1)
    await asyncio.wait_for(waits, 1)
    picture.put("a", "1", 1)  # nothing new
    waits = asyncio.create_task(picture.changed(picture.version))
    await asyncio.sleep(0)
    assert not waits.done()
    waits.cancel()
