# SPDX-License-Identifier: MIT
"""Workbench, bench: what others would use for the same job, set up as fairly as can be."""
