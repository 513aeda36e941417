# SPDX-License-Identifier: MIT
# Trigger and verdict: from a conditioned block to one report per activity. Pure: no I/O, no clock.
