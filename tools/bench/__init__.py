# SPDX-License-Identifier: MIT
"""Workbench: how fast it is, as ratios beside peers on the same broker and the same load."""
