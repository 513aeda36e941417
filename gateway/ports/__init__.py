# SPDX-License-Identifier: MIT
"""Ports: what a connector is given and what it must offer; it imports this and the model."""
