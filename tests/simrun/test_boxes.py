# SPDX-License-Identifier: MIT
"""Keys and flash of simulated nodes: which are refused and why, and the state in the next run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.enrolment import ENROLMENT, EnrolmentLog, Entry, KeyAct
from gateway.keys import load_fleet_root, node_key
from tests.simrun.process import make_site
from tools.errors import UserError
from tools.simrun.boxes import kept_folder, node_keys, read_own, write_nodes

SITE = """\
[site]
name = "yard"
[[node]]
id = "n01"
x_m = 0
y_m = 0
[[node]]
id = "n02"
x_m = 25
y_m = 0
[[node]]
id = "n03"
x_m = 50
y_m = 0
link = "serial"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return make_site(tmp_path, SITE, "").config


def enter(config: Path, act: KeyAct, generation: int, board: str = "") -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    journal = EnrolmentLog(config.parent / "data" / ENROLMENT, root_of(config))
    with journal.locked():
        journal.append(Entry(0, at, act, "n01", generation, board, 0, "eva", "test"))


def root_of(config: Path) -> bytes:
    return load_fleet_root(config.parent / "fleet.key")


def test_nodes_without_a_name_are_those_on_wifi_with_first_keys(config: Path) -> None:
    own = read_own(config, None, [])
    assert node_keys(own) == {
        node: node_key(root_of(config), "yard", node, 1) for node in ("n01", "n02")
    }


@pytest.mark.parametrize(("name", "part"), [("n09", "there are n01, n02"), ("n03", "serial line")])
def test_node_that_cannot_be_simulated_is_named_with_the_reason(
    config: Path, name: str, part: str
) -> None:
    with pytest.raises(UserError, match=part):
        read_own(config, None, [name])


def test_key_that_is_on_a_board_or_revoked_is_not_used(config: Path) -> None:
    own = read_own(config, None, ["n01"])
    enter(config, KeyAct.OFFER, 2)
    assert node_keys(own)["n01"] == node_key(root_of(config), "yard", "n01", 2)
    enter(config, KeyAct.PROVE, 2, "e660")
    with pytest.raises(UserError, match="the key of n01 is on a board"):
        node_keys(own)
    enter(config, KeyAct.REVOKE, 2)
    with pytest.raises(UserError, match="n01 has no key: it was revoked"):
        node_keys(own)


def test_second_run_at_the_same_time_is_refused(config: Path) -> None:
    own = read_own(config, None, [])
    refused = pytest.raises(UserError, match="another run")
    with kept_folder(own.config), refused, kept_folder(own.config):
        pass


def test_bundle_written_again_keeps_flash_and_names_the_new_port(
    config: Path, micropython: Path
) -> None:
    own = read_own(config, None, ["n01"])
    with kept_folder(own.config) as folder:
        tree = write_nodes(own, node_keys(own), 1883, folder, micropython)["n01"]
        (tree / "state" / "kept").write_text("by the node")
        write_nodes(own, node_keys(own), 1884, folder, micropython)
    assert (tree / "state" / "kept").read_text() == "by the node"
    assert json.loads((tree / "node.json").read_text())["broker"]["port"] == 1884
    assert folder.stat().st_mode & 0o077 == 0
