# SPDX-License-Identifier: MIT
"""Brokers: who carries messages between nodes and gateway; one abstract, three kinds."""
