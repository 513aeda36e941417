# SPDX-License-Identifier: MIT
"""Board layer, simulated: parts that behave like the part, not like its driver (MicroPython)."""
