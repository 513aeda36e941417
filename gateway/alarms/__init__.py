# SPDX-License-Identifier: MIT
"""The duty officer: events and node troubles become alarms with a lifecycle."""

from gateway.alarms.step import (
    Acknowledge,
    AlarmInput,
    AlarmState,
    EventChanged,
    NodeTrouble,
    step,
)

__all__ = ["Acknowledge", "AlarmInput", "AlarmState", "EventChanged", "NodeTrouble", "step"]
