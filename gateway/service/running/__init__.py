# SPDX-License-Identifier: MIT
"""Service: the tasks of both stages, and their rows on the way to the store."""
