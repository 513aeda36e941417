# SPDX-License-Identifier: MIT
"""Workbench: speed, as ratios to peers on the same broker and the same load."""
