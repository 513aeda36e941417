# SPDX-License-Identifier: MIT
"""The store: what the pipeline wants kept, and the interface of whatever keeps it."""

from gateway.store.interface import (
    BootRow,
    DetectionRow,
    MessageRow,
    NodeRow,
    Snapshot,
    Store,
    Writes,
)

__all__ = ["BootRow", "DetectionRow", "MessageRow", "NodeRow", "Snapshot", "Store", "Writes"]
