# SPDX-License-Identifier: MIT
"""Measured performance: detection, false and nuisance alarms, response times, from the records."""
