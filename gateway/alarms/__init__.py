# SPDX-License-Identifier: MIT
"""Alarms: the alarm manager: events and conditions become alarms; operator actions apply."""

from gateway.alarms.inputs import AlarmInput, EventChanged, Tick
from gateway.alarms.rules import AlarmRules
from gateway.alarms.state import AlarmState
from gateway.alarms.step import step
from gateway.model.actions.acts import Acknowledge
from gateway.model.observation import AreaCondition, NodeCondition

__all__ = [
    "Acknowledge",
    "AlarmInput",
    "AlarmRules",
    "AlarmState",
    "AreaCondition",
    "EventChanged",
    "NodeCondition",
    "Tick",
    "step",
]
