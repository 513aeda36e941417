# SPDX-License-Identifier: MIT
"""Intake: what is known of each node: health, clock, completeness."""
