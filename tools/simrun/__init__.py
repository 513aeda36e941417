# SPDX-License-Identifier: MIT
"""Simrun: simulated nodes, with the firmware itself, against a gateway and a site of one's own."""
