# SPDX-License-Identifier: MIT
"""Workbench: scores against ground truth, each figure with its confidence interval."""
