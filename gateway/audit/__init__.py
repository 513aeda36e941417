# SPDX-License-Identifier: MIT
"""Accountability: actor, action, reason and end of each act, in a chain that shows changes."""
