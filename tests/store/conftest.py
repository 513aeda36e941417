# SPDX-License-Identifier: MIT
"""The implementations of the store, for tests that hold for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from gateway.store.choose import store_at
from gateway.store.interface import Store
from tests.store.server import Server

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    made = Server()
    made.start()
    try:
        yield made
    finally:
        made.stop("immediate")
        made.remove()


@pytest.fixture
def database(server: Server) -> str:
    """The URL of an empty database."""
    name = f"site{next(_NUMBERS)}"
    with psycopg.connect(server.url(), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an empty store is."""
    if request.param == "sqlite":
        return tmp_path / "groundwatch.db"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def open_store(place: Path | str) -> Iterator[Callable[[], Store]]:
    """Open the store again, after closing it."""
    opened: list[Store] = []

    def opener() -> Store:
        for store in opened:
            store.close()
        store = store_at(place)
        store.open()
        opened.append(store)
        return store

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
