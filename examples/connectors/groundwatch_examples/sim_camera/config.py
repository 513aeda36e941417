# SPDX-License-Identifier: MIT
"""Connectors, sim_camera: its `[[connector]]` table."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.ports.connector import ConnectorConfig


class SimCameraConfig(ConnectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the camera is on the network, and where it stands on the site."""

    port: Annotated[int, Meta(ge=1, le=65535, examples=[9401])]
    host: str = "127.0.0.1"
    x_m: float = 0.0
    y_m: float = 0.0
    answer_s: Annotated[float, Meta(gt=0, le=60)] = 5.0  # longer without an answer: failed
