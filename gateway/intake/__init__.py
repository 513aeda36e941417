# SPDX-License-Identifier: MIT
"""Intake: authenticate, decode, deduplicate, commit, receipt."""
