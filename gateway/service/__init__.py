# SPDX-License-Identifier: MIT
"""Service: the two stages and all that runs beside them, supervised."""
