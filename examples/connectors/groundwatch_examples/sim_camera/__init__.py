# SPDX-License-Identifier: MIT
"""Connectors, sim_camera: a camera that turns where a cue asks it to, simulated."""

from gateway.model.actions.cue import CueKind
from gateway.ports.connector import ConnectorType
from groundwatch_examples.sim_camera.config import SimCameraConfig
from groundwatch_examples.sim_camera.run import SimCamera

TYPE = ConnectorType(
    "sim_camera",
    SimCameraConfig,
    SimCamera.make,
    "a simulated camera to cue",
    cues=frozenset({CueKind.LOOK}),
)
