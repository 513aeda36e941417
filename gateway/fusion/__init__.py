# SPDX-License-Identifier: MIT
"""Fusion: observations of nodes and other sources become events with place, motion and reasons."""

from gateway.fusion.kinds.registry import HANDLED
from gateway.fusion.state import FusionState
from gateway.fusion.step import step

__all__ = ["HANDLED", "FusionState", "step"]
