# SPDX-License-Identifier: MIT
"""The reader: searches with limits and cursors, beside a writer that holds its lock."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.errors import StoreError
from gateway.model.alarm import Alarm, AlarmKind, Disposition
from gateway.model.text import format_json
from gateway.store import reader as reader_module
from gateway.store.interface import AlarmRow, DetectionRow, HistoryRow, Writes
from gateway.store.reader import AlarmSearch, DetectionSearch, StoreReader
from gateway.store.sqlite import SqliteStore

T0 = 1_800_000_000_000_000
S = 1_000_000
COUNT = 1200  # more than the reader looks at in one turn


def alarm(number: int) -> Alarm:
    closed = number % 3 == 0
    return Alarm(
        id=number,
        kind=AlarmKind.TAMPER if number % 2 else AlarmKind.NODE_LOST,
        key=str(number),
        priority=1,
        raised_us=T0 + number * S,
        changed_us=T0 + number * S,
        active=not closed and number % 3 == 1,
        acknowledged=closed,
        nodes=("n01",),
        sectors=("west" if number % 5 else "east",),
        reasons=(f"case {number}: 50 % _ 'quoted'",),
        disposition=Disposition.ANIMAL if number == 600 else None,
        note="two deer" if number == 600 else "",
    )


def detection(number: int) -> DetectionRow:
    node = f"n{number % 2 + 1:02}"
    target = "person" if number % 3 else "animal"
    at_us = T0 + number * S
    return DetectionRow(
        number, node, 1, number, 0, "onset", target, 80, 512, at_us, at_us, 1000, at_us
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "groundwatch.db"
    store, writes = SqliteStore(path), Writes()
    for number in range(1, COUNT + 1):
        one = alarm(number)
        row = AlarmRow(number, one.kind.value, one.key, one.raised_us, one.open, format_json(one))
        writes.alarms[number] = row
        writes.detections.append(detection(number))
    raised = alarm(7)
    cleared = replace(raised, active=False)
    for number, (change, one) in enumerate((("raised", raised), ("cleared", cleared)), 1):
        writes.history.append(HistoryRow(number, 7, T0 + number, change, "", format_json(one)))
    store.open()
    store.commit(writes)
    store.close()
    return path


@pytest.fixture
async def reader(path: Path) -> AsyncIterator[StoreReader]:
    reader = StoreReader(path)
    yield reader
    reader.close()


async def ids(reader: StoreReader, **search: object) -> list[int]:
    """Of all pages of a search, in the order that they come."""
    found: list[int] = []
    before: int | None = None
    while True:
        page = await reader.alarms(AlarmSearch(before_id=before, **search))  # type: ignore[arg-type]  # fields of a search
        found += [one.id for one in page.items]
        if page.cursor is None:
            return found
        before = page.cursor


async def test_reader_pages_of_alarms_are_all_of_them_newest_first(reader: StoreReader) -> None:
    assert await ids(reader, limit=100) == list(range(COUNT, 0, -1))


@pytest.mark.parametrize(
    ("search", "fits"),
    [
        ({"kind": "tamper"}, lambda one: one.kind is AlarmKind.TAMPER),
        ({"sector": "east"}, lambda one: "east" in one.sectors),
        ({"state": "open"}, lambda one: one.open),
        ({"state": "closed"}, lambda one: not one.open),
        ({"state": "active"}, lambda one: one.active),
        ({"state": "unacknowledged"}, lambda one: one.unacknowledged),
        ({"text": "TWO DEER"}, lambda one: one.id == 600),
        ({"text": "case 7:"}, lambda one: one.id == 7),
        ({"text": "% _ '"}, lambda one: True),
        ({"text": "'; DROP TABLE alarm; --"}, lambda one: False),
        ({"from_us": T0 + 100 * S, "to_us": T0 + 200 * S}, lambda one: 100 <= one.id <= 200),
        ({"kind": "tamper", "sector": "east", "state": "closed"},
         lambda one: one.id % 30 == 15),
    ],
)  # fmt: skip
async def test_reader_search_of_alarms_finds_those_that_fit_and_no_others(
    reader: StoreReader, search: dict[str, object], fits: object
) -> None:
    assert callable(fits)
    wanted = [number for number in range(COUNT, 0, -1) if fits(alarm(number))]
    assert await ids(reader, limit=7 if len(wanted) < 50 else 1000, **search) == wanted


async def test_reader_search_that_finds_little_stops_at_its_budget_with_a_cursor(
    reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MAX_SCANNED", 500)
    page = await reader.alarms(AlarmSearch(text="case 7:"))
    assert (page.items, page.cursor) == ([], COUNT - 499)
    assert await ids(reader, text="case 7:") == [7]


async def test_reader_history_of_an_alarm_is_in_order(reader: StoreReader) -> None:
    history = await reader.alarm_history(7)
    assert [(one.change, one.alarm.active) for one in history] == [
        ("raised", True),
        ("cleared", False),
    ]
    found = await reader.alarm(7)
    assert found is not None and found.id == 7
    assert await reader.alarm(COUNT + 1) is None
    assert await reader.alarm_history(COUNT + 1) == []


async def test_reader_search_of_detections_goes_on_at_its_cursor(reader: StoreReader) -> None:
    search = DetectionSearch(node="n01", target="person", from_us=T0 + 10 * S, limit=50)
    found: list[int] = []
    while True:
        page = await reader.detections(search)
        found += [one.seq for one in page.items]
        if page.cursor is None:
            break
        search = DetectionSearch(
            node="n01", target="person", from_us=T0 + 10 * S, limit=50, before_id=page.cursor
        )
    assert found == [n for n in range(COUNT, 9, -1) if n % 2 == 0 and n % 3]


async def test_reader_does_not_wait_for_a_commit_under_way(reader: StoreReader, path: Path) -> None:
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE alarm SET open = 0")
    async with asyncio.timeout(2):
        assert len((await reader.alarms(AlarmSearch(state="open"))).items) == 100
    writer.execute("ROLLBACK")
    writer.close()


async def test_reader_without_a_store_is_one_clear_error(tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "none.db")
    with pytest.raises(StoreError, match="there is no store"):
        await reader.alarms(AlarmSearch())
    reader.close()


async def test_reader_with_too_many_searches_refuses_more(
    reader: StoreReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MAX_WAITING", 2)
    searches = [reader.alarms(AlarmSearch(limit=1000)) for _ in range(3)]
    results = await asyncio.gather(*searches, return_exceptions=True)
    assert [isinstance(one, StoreError) for one in results] == [False, False, True]
