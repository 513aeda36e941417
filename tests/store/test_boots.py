# SPDX-License-Identifier: MIT
"""A node that starts very often: what is kept of its starts is bounded, in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.service.stages import Stages
from gateway.store import interface, sql_load
from gateway.store.choose import reading
from gateway.store.interface import BootRow, Store, Writes
from tests.gateway.played_node import ROOT, PlayedNode, write_site
from tests.gateway.test_pipeline import T0, S

KEPT, MANY = interface.KEPT_BOOTS, 5000


def test_boots_beyond_what_a_ledger_can_hold_are_forgotten_and_refused(
    open_store: Callable[[], Store],
    place: Path | str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sql_load, "MAX_FORGOTTEN", 1000)
    store = open_store()
    rows = [BootRow("n01", boot, 1, 0, T0, 500_000, 1, T0) for boot in range(1, MANY + 1)]
    few = [BootRow("n02", boot, 1, 0, T0, 500_000, 1, T0) for boot in range(1, 11)]
    store.commit(Writes(boots={(row.node, row.boot): row for row in rows + few}))
    write_site(tmp_path)
    site = load_site(tmp_path / "site.toml")
    snapshot = store.load()
    assert [row.boot for row in snapshot.boots if row.node == "n01"] == [
        *range(MANY - KEPT + 1, MANY + 1)
    ]
    assert [row.boot for row in snapshot.boots if row.node == "n02"] == [*range(1, 11)]
    left = MANY - 1000
    while left > KEPT:
        with reading(place) as db:
            assert db.run("SELECT count(*) FROM boot WHERE node = 'n01'") == [(left,)]
        store.load()
        left = max(KEPT, left - 1000)
    with reading(place) as db:
        assert db.run("SELECT count(*) FROM boot") == [(KEPT + 10,)]
    stages = Stages(site, site_keys(site, ROOT), store.load())
    old, kept = PlayedNode("n01", boot=MANY - KEPT), PlayedNode("n01", boot=MANY - KEPT + 1)
    assert stages.uplink(T0 + S, old.up, old.detection(5)).refused == "past_boot"
    assert stages.uplink(T0 + S, kept.up, kept.detection(4)).duplicate
    outcome = stages.uplink(T0 + S, kept.up, kept.detection(5))
    assert (outcome.refused, outcome.duplicate) == ("", False)
    # The receipt of a start that has been silent for long is still known.
    assert stages.intake.completeness.stored_upto("n01", MANY) == 1
