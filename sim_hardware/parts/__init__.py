# SPDX-License-Identifier: MIT
"""Board layer, simulated: electronic parts at the level of pins and registers (MicroPython)."""
