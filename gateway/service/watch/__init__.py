# SPDX-License-Identifier: MIT
"""Service: that the gateway itself monitors: gaps, sleep of the machine, heartbeats to others."""
