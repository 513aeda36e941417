# SPDX-License-Identifier: MIT
"""Accountability: who did what, why and until when, in a chain that shows what was changed."""
