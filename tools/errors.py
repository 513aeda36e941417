# SPDX-License-Identifier: MIT
"""The error for a mistake that the user can correct."""


class UserError(Exception):
    """One line: the fault and its remedy. The command prints it and exits 2."""
