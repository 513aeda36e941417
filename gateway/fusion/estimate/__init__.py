# SPDX-License-Identifier: MIT
"""Fusion: the estimator: from rows of measurements to place, velocity and their errors."""
