# SPDX-License-Identifier: MIT
"""Connectors: one folder for each kind of other system. No other package imports them by name."""
