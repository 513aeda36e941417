# SPDX-License-Identifier: MIT
"""Fusion: signs for and against an event, and the verdict they add up to."""
