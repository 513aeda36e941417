# SPDX-License-Identifier: MIT
"""Tuning: the bounds of every proposal, and how much evidence one needs."""

from __future__ import annotations

HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US

# Tenths of a unit of log-odds beyond the model's own limits, as the setting threshold_x10. A node
# accepts -20 to 40; what is further than this from the model's own limit stays a decision by hand.
LOW_X10 = -10
HIGH_X10 = 20
# A report states its confidence in whole points, eight to a unit: a step is exactly four of them.
STEP_X10 = 5
POINTS_PER_TENTH = 0.8

# Goals of the project for false detections per node and day: 0.5 in calm weather, 3 in wind or rain
# (docs/scores.md). Raise when the rate is certainly above the second, lower when it is certainly
# below the first: a node whose rate lies between them keeps its threshold. Below the model's own
# limit the first one alone counts: a node goes back up when its rate is certainly above it.
RAISE_ABOVE_PER_DAY = 3.0
LOWER_BELOW_PER_DAY = 0.5

MIN_QUIET_H = 72.0  # hours that count, at the present threshold
MIN_ASSESSED = 3  # alarms assessed as false: without them the cause of the detections is unknown
MIN_DAYS_BETWEEN = 7  # two changes of one node's threshold

DEFAULT_DAYS = 30  # a tuning is in force for; then it is proposed to go back
MAX_DAYS = 90
DEFAULT_WEEKS = 4
MAX_WEEKS = 52
