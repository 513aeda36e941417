# SPDX-License-Identifier: MIT
"""Errors that the user can correct: one line with the error and the remedy."""


class SimError(Exception):
    """A scenario, recording or part does not support the request."""
