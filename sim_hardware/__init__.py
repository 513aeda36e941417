# SPDX-License-Identifier: MIT
"""The ground layer and the board layer, simulated: takes, recordings, shims, fleets of nodes."""
