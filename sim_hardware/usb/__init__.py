# SPDX-License-Identifier: MIT
"""The USB cable, simulated: boards behind pseudo-terminals, boot ROMs, and their faults."""
