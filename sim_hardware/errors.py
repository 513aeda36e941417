# SPDX-License-Identifier: MIT
"""Errors of the simulator that are the user's to mend: one line, what is wrong and what to do."""


class SimError(Exception):
    """A scenario, recording or part was asked for something it cannot do."""
