# SPDX-License-Identifier: MIT
"""Rooms "ground" and "board", simulated: takes, recordings, shims and fleets of nodes."""
