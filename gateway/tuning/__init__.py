# SPDX-License-Identifier: MIT
"""Tuning: each node's own rate of unwanted detections, and proposals for its threshold."""
