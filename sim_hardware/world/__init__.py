# SPDX-License-Identifier: MIT
"""Ground layer: simulated sites. `World(scenario, seed)` makes the output of geophones and PIRs."""

from sim_hardware.world.audibility import Audibility
from sim_hardware.world.scenario import Scenario, load, parse
from sim_hardware.world.world import Block, World

__all__ = ["Audibility", "Block", "Scenario", "World", "load", "parse"]
