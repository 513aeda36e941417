# SPDX-License-Identifier: MIT
"""The one place that steps door, map table and duty officer, live and in replay alike."""

from gateway.pipeline.nodes import site_keys
from gateway.pipeline.outcome import Outcome
from gateway.pipeline.steps import Pipeline

__all__ = ["Outcome", "Pipeline", "site_keys"]
