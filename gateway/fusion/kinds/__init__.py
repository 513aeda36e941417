# SPDX-License-Identifier: MIT
"""Fusion: one module for each observation type that it takes, and their registry."""
