# SPDX-License-Identifier: MIT
"""Workbench, bench: other systems for the same task, configured as fairly as possible."""
