# SPDX-License-Identifier: MIT
"""The window, outward: alarms told elsewhere, each delivery with its record. None unless asked."""
