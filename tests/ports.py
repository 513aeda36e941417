# SPDX-License-Identifier: MIT
"""Loopback ports for servers under test: those of the pytest plugin."""

from __future__ import annotations

from sim_hardware.loopback import free_port

__all__ = ["free_port"]
