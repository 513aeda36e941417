# SPDX-License-Identifier: MIT
"""Monitor: the second stage: reads the log by a cursor; fusion and alarms in pure steps."""
