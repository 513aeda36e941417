# SPDX-License-Identifier: MIT
"""The words of the map table: detection, event, alarm. Immutable values, no I/O."""
