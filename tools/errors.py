# SPDX-License-Identifier: MIT
"""The workbench's own word for a mistake the user can put right."""


class UserError(Exception):
    """One line: what is wrong and what to do. The command prints it and exits 2."""
