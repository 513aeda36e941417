# SPDX-License-Identifier: MIT
"""Outbox: alarms notified elsewhere, each delivery with its record. None unless configured."""
