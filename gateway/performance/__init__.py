# SPDX-License-Identifier: MIT
"""Measured performance: what the line detects and what it costs its operators, from the records."""
