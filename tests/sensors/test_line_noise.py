# SPDX-License-Identifier: MIT
"""A pump hums beside a node: the node reports it, and still detects a person."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gateway.config.site import load_site
from gateway.enrolment import site_keys
from gateway.model.target import TargetClass
from gateway.service.stages import Stages
from sim_hardware.signals import Signal
from sim_hardware.site import NodeSpec, SectorSpec, Site, write_site
from sim_hardware.take import Take
from sim_hardware.virtual import Pace, simulate
from sim_hardware.world import World
from sim_hardware.world.ambient import Weather
from sim_hardware.world.scenario import ActorSpec, Scenario
from tools.trees import write_trees

PUMP_HZ = 20.0
PUMP_NM_S = 900.0  # peak; the walker gives about 1000 at 12 m
SECONDS = 130.0
ROOT = bytes(range(32))


def take() -> Take:
    node = NodeSpec("n07", 0.0, 0.0, "gate")
    walker = ActorSpec("w", "person", ((-50.0, 12.0), (50.0, 12.0)), start_s=55.0)
    scenario = Scenario("north", (node,), (), (walker,), Weather(60.0), excess_loss_db=(0.0, 0.0))
    made = World(scenario, 5).record(SECONDS)
    ground = np.asarray(made.velocity_m_s["n07"], np.float64)
    t_s = np.arange(ground.size) / 500.0
    ground += PUMP_NM_S * 1e-9 * np.sin(2 * np.pi * PUMP_HZ * t_s)
    square = ((-60.0, -60.0), (60.0, -60.0), (60.0, 60.0), (-60.0, 60.0))
    site = Site("north", (node,), (SectorSpec("gate", square),))
    return Take(site, {"n07": Signal(500.0, velocity_m_s=ground)})


def test_node_under_a_pump_reports_the_line_and_detects_the_walker(
    micropython: Path, tmp_path: Path
):
    given = take()
    write_site(given.site, tmp_path / "site.toml")
    trees = write_trees(given.site, ROOT, 1883, tmp_path / "trees")
    run = simulate(given, trees, micropython=micropython, pace=Pace())
    log = run.logs["n07"]
    line_noise = re.compile(r"kind=line_noise active=1 value=(\d+)")
    hz = [int(found[1]) / 10 for line in log.lines if (found := line_noise.search(line))]
    assert len(hz) == 1 and abs(hz[0] - PUMP_HZ) < 0.3
    site = load_site(tmp_path / "site.toml")
    stages = Stages(site, site_keys(site, ROOT))
    found = [
        one
        for uplink in run.uplinks
        for one in stages.uplink(uplink.t_us, uplink.topic, uplink.payload).detections
    ]
    assert TargetClass.PERSON in {one.target for one in found}
