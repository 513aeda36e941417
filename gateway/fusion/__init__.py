# SPDX-License-Identifier: MIT
"""The map table: detections of several nodes become one event, with direction and speed."""

from gateway.fusion.step import FusionState, step

__all__ = ["FusionState", "step"]
