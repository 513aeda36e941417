# SPDX-License-Identifier: MIT
"""Ground room: simulated sites. `World(scenario, seed)` makes what the geophones and PIRs give."""

from sim_hardware.world.hearing import Hearing
from sim_hardware.world.scenario import Scenario, load, parse
from sim_hardware.world.world import Block, World

__all__ = ["Block", "Hearing", "Scenario", "World", "load", "parse"]
