# SPDX-License-Identifier: MIT
"""Connectors, as examples: one folder for each kind."""
