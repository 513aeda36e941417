# SPDX-License-Identifier: MIT
"""Workbench: the energy of a node, computed from a table of currents. Nothing here was measured."""
