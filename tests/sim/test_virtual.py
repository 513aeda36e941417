# SPDX-License-Identifier: MIT
"""Takes in virtual time: the real firmware, equal runs, resets, and nodes that fail."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import keys
from gateway.wire import codec, seal
from gateway.wire.messages import Detection, Hello
from sim_hardware.errors import SimError
from sim_hardware.sandbox import Faults
from sim_hardware.site import Site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, VirtualRun, simulate
from sim_hardware.world.scenario import load
from sim_hardware.world.world import World
from tools.trees import write_trees

MakeTrees = Callable[[str, int], dict[str, Path]]
ROOT = bytes(32)
SCENARIOS = Path(__file__).resolve().parents[2] / "sim_hardware" / "scenarios"
SHORT = Pace(lead_s=1.0, settle_s=1.0)


@pytest.fixture(scope="module")
def world_take() -> Take:
    """Two nodes of the demo line, long enough for a crossing."""
    whole = World(load(SCENARIOS / "demo.toml"), 7).take(30.0)
    nodes = whole.nodes[1:3]
    site = Site(whole.site.name, nodes, whole.sectors)
    return Take(site, {node.id: whole.signals[node.id] for node in nodes})


def run(take: Take, folder: Path, interpreter: Path, **more: Any) -> VirtualRun:
    trees = write_trees(take.site, ROOT, 1883, folder, interpreter)
    return simulate(take, trees, micropython=interpreter, **more)


def opened(run: VirtualRun, site: str) -> list[object]:
    messages = []
    for uplink in run.uplinks:
        own = keys.derive(keys.node_key(ROOT, site, uplink.node))
        aad = uplink.topic.encode()
        _, plain = seal.open_sealed(own.up_key, own.up_iv, uplink.payload, aad)
        messages.append(codec.decode(plain))
    return messages


def test_take_through_the_real_firmware_opens_with_the_gateways_keys(
    world_take: Take, tmp_path: Path, micropython: Path
) -> None:
    result = run(world_take, tmp_path, micropython, seed=1)
    assert [u.t_us for u in result.uplinks] == sorted(u.t_us for u in result.uplinks)
    messages = opened(result, world_take.site.name)
    assert sum(isinstance(one, Hello) for one in messages) == 2
    detections = [one for one in messages if isinstance(one, Detection)]
    assert detections, "a walker crosses the line within the take"
    assert len(detections) == len(result.made), "each detection arrived once"
    assert result.restarts == {"n02": 0, "n03": 0}
    assert not any((tmp_path / node / "state").exists() for node in ("n02", "n03"))


def test_two_runs_are_equal_byte_for_byte_and_another_seed_is_not(
    world_take: Take, tmp_path: Path, micropython: Path
) -> None:
    def digest(name: str, seed: int) -> str:
        result = run(world_take, tmp_path / name, micropython, seed=seed)
        rows = [(u.t_us, u.node, u.topic, u.payload) for u in result.uplinks]
        return hashlib.sha256(repr((rows, result.made)).encode()).hexdigest()

    first = digest("a", 1)
    assert digest("b", 1) == first
    assert digest("c", 2) != first


def test_64_and_32_bit_nodes_make_the_same_detections(
    world_take: Take, tmp_path: Path, micropython: Path, micropython_i386: Path
) -> None:
    # The uplinks differ only in the free heap of the hello.
    wide = run(world_take, tmp_path / "a", micropython, seed=1)
    narrow = run(world_take, tmp_path / "b", micropython_i386, seed=1)
    assert wide.made == narrow.made
    assert [(u.t_us, u.node) for u in wide.uplinks] == [(u.t_us, u.node) for u in narrow.uplinks]
    differing = [a.t_us for a, b in zip(wide.uplinks, narrow.uplinks, strict=True) if a != b]
    assert len(differing) == 2


def test_loss_and_an_outage_cost_no_detection(
    world_take: Take, tmp_path: Path, micropython: Path
) -> None:
    faults = {"n02": Faults(loss_pct=30), "n03": Faults(outages_s=((5.0, 35.0),))}
    pace = Pace(settle_s=120.0)
    result = run(world_take, tmp_path, micropython, seed=1, pace=pace, faults=faults)
    arrived = {
        (uplink.node, seal.parse_up_piv(piv)[1:])
        for uplink in result.uplinks
        for own in [keys.derive(keys.node_key(ROOT, world_take.site.name, uplink.node))]
        for piv in [
            seal.open_sealed(own.up_key, own.up_iv, uplink.payload, uplink.topic.encode())[0]
        ]
        if seal.parse_up_piv(piv)[0] == 0
    }
    assert result.made
    assert {(one.node, (one.boot, one.seq)) for one in result.made} <= arrived
    assert not any(5e6 < u.t_us < 35e6 for u in result.uplinks if u.node == "n03")


def test_virtual_time_is_far_faster_than_real(
    world_take: Take, tmp_path: Path, micropython: Path
) -> None:
    site = Site(world_take.site.name, world_take.nodes[:1])
    one = Take(site, {site.nodes[0].id: world_take.signals[site.nodes[0].id]})
    trees = write_trees(site, ROOT, 1883, tmp_path)
    started_s = time.process_time(), time.monotonic()
    simulate(one, trees, micropython=micropython, pace=Pace(settle_s=600.0))
    # Ten minutes in a fifteenth of that time, on a machine that may be busy.
    assert time.monotonic() - started_s[1] < 40


def test_node_that_resets_starts_again_at_the_time_of_the_reset(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path
) -> None:
    trees = make_trees(
        "import machine, time\n"
        "try:\n"
        "    boots = int(open('boots').read())\n"
        "except OSError:\n"
        "    boots = 0\n"
        "with open('boots', 'w') as file: file.write(str(boots + 1))\n"
        "print('boot', boots, time.ticks_ms(), machine.Pin(15)())\n"
        "time.sleep_ms(1200)\n"
        "machine.reset()\n",
        1,
    )
    result = simulate(take_of(1, 4.0), trees, micropython=micropython, pace=SHORT)
    # -1 s, 0.5, 2.0, 3.5 and 5.0, where the take has settled; the PIR is high from 0.5 to 1 s
    assert list(result.logs["n01"].lines) == [
        "boot 0 0 0",
        "boot 1 0 1",
        "boot 2 0 0",
        "boot 3 0 0",
        "boot 4 0 0",
    ]
    assert result.restarts == {"n01": 4}
    assert not (trees["n01"] / "boots").exists(), "the bundled tree does not change"


@pytest.mark.parametrize(
    ("main", "message"),
    [
        ("1 / 0", "ended with code 1: .*ZeroDivisionError"),
        ("print('node stops cause=flash')\nimport machine\nmachine.reset()", "cause=flash"),
        ("import machine\nmachine.reset()", "was reset"),
        ("while True: pass", "hung and was ended"),
        ("while True: print('x' * 10_000, end='')", "hung and was ended"),
        ("import sys\nsys.exit(2)", "ended with code 2"),
    ],
)
def test_node_that_fails_is_named_with_its_last_lines(
    make_trees: MakeTrees,
    take_of: Callable[..., Take],
    micropython: Path,
    monkeypatch: pytest.MonkeyPatch,
    main: str,
    message: str,
) -> None:
    monkeypatch.setattr("sim_hardware.virtual._MIN_WALL_S", 1.0)
    monkeypatch.setattr("sim_hardware.virtual._MAX_RESTARTS", 5)
    with pytest.raises(SimError, match=f"node n01 .*{message}"):
        simulate(take_of(1, 2.0), make_trees(main, 1), micropython=micropython, pace=SHORT)


def test_trees_that_do_not_fit_the_take_are_named(
    make_trees: MakeTrees, take_of: Callable[..., Take], micropython: Path, tmp_path: Path
) -> None:
    trees = make_trees("pass", 2)
    with pytest.raises(SimError, match="no tree for node n03"):
        simulate(take_of(3), trees, micropython=micropython)
    with pytest.raises(SimError, match="belongs to node n02, not n01"):
        simulate(take_of(1), {"n01": trees["n02"]}, micropython=micropython)
    with pytest.raises(SimError, match="no node tree"):
        simulate(take_of(1), {"n01": tmp_path}, micropython=micropython)
    with pytest.raises(SimError, match="no MicroPython there"):
        simulate(take_of(1), trees, micropython=tmp_path / "micropython")
