# SPDX-License-Identifier: MIT
"""Brokers: they carry messages between nodes and gateway; one abstract, three kinds."""
