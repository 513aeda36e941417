# SPDX-License-Identifier: MIT
"""Room "board", simulated: parts that behave like the part, not like its driver (MicroPython)."""
