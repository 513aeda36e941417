# SPDX-License-Identifier: MIT
"""Loopback ports for servers under test: those that the plugin for pytest gives out as well."""

from __future__ import annotations

from sim_hardware.loopback import free_port

__all__ = ["free_port"]
