# SPDX-License-Identifier: MIT
"""The map table: detections of several nodes become one event, with direction and speed."""

from gateway.fusion.step import HANDLED, FusionState, step

__all__ = ["HANDLED", "FusionState", "step"]
