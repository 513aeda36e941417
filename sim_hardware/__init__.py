# SPDX-License-Identifier: MIT
"""Room "ground" and "board", simulated: takes, recordings, shims and fleets of nodes without hardware."""
